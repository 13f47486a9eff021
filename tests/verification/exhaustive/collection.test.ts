import { describe, expect, it } from 'vitest';
import { MemoryAcceptor } from '../../../src/protocol/memory-acceptor.js';
import { explore } from '../../../verification/exhaustive/explorer.js';
import { KEY } from '../../../verification/exhaustive/key.js';
import type { Scenario } from '../../../verification/exhaustive/scenario.js';
import { SCENARIOS } from '../../../verification/exhaustive/scenarios.js';
import { traceOf } from '../../../verification/exhaustive/trace.js';
import type { ScenarioSystem, World } from '../../../verification/exhaustive/world.js';

function scenarioNamed(wanted: string): Scenario {
  const scenario = SCENARIOS.find(({ name }) => name === wanted);
  if (!scenario) throw new RangeError(`there is no scenario ${wanted}`);
  return scenario;
}

const COLLECTED = scenarioNamed('collect-c');
/** The key was created and deleted, and nobody does anything but the collection. */
const ALONE: Scenario = { ...COLLECTED, scripts: [['create', 'delete'], []], begun: { operations: 2, late: [] } };

/** Of the era in which the search begins. */
const LATE = { era: 1, counter: 1_000, proposer: 9, incarnation: 1 };

/** What an acceptor can be found to hold in the end. */
async function keptBy({ sites }: World, { acceptors, sites: all }: ScenarioSystem, at: number): Promise<string[]> {
  const registers = [...(sites[at] ? all.restOf(sites[at]).registers : [])];
  return Promise.all(
    registers.map(async (register) => {
      const reply = await acceptors.holding(register).prepare(KEY, LATE);
      return reply.ok ? String(reply.value).replace(/"ops".*\],/, '') : `nothing below era ${reply.conflict.era}`;
    }),
  );
}

describe('a collection', () => {
  it('by itself has one course, and may end after each of its messages', async () => {
    const kept = new Set<string>();
    const looks: Promise<unknown>[] = [];
    const onEnd = (world: World, system: ScenarioSystem): void => {
      looks.push(...world.sites.map(async (_, at) => (await keptBy(world, system, at)).forEach((text) => kept.add(text))));
    };
    const { counts, violation } = await explore(ALONE, { onEnd });
    await Promise.all(looks);
    expect(violation).toBeUndefined();
    // All look, four writes to proposers, all tell their floor, all raise it, all erase; and the beginning.
    expect(counts).toMatchObject({ executions: 1, states: 9, ends: 9 });
    expect([...kept].sort()).toEqual(['nothing below era 3', '{"ver":2,"val":null,"deleted":true}']);
  });

  it('is seen to bring a value back where an absent register takes every ballot: a late accept is not forgotten', async () => {
    const { violation } = await explore(COLLECTED, { makeAcceptor: ({ registers }) => new MemoryAcceptor({ registers }) });
    expect(violation?.what.rule).toBe('a promise never goes down');
    const trace = violation ? traceOf(violation.first, violation.path, violation.system) : [];
    expect(trace).toContain('on its way to a1: accept 1.1.1.1 v1.1 (version 1), then 1.2.1.1');
    expect(trace.at(-1)).toBe('collection 1 asks a1, a2: erase 1.2.1.1');
  });

  it('removes nothing where the tombstone is not on every acceptor', async () => {
    const scenario: Scenario = { ...ALONE, begun: { operations: 2, late: [{ acceptor: 'a2', operation: 1, isAgain: false }] } };
    // Both have to accept, so that the create is not done without the second one.
    await expect(explore(scenario)).rejects.toThrow('an operation that is to be over when the search begins is not');
    const missing = { ...scenarioNamed('collect-late-d'), scripts: [['create', 'delete'], []] as const };
    const { counts, violation } = await explore(missing);
    expect(violation).toBeUndefined();
    // The deletion is late on a2: it arrives there before the look, or after it, or never.
    expect(counts.executions).toBe(2);
  });
});
