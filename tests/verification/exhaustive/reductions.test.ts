import { describe, expect, it } from 'vitest';
import type { Configuration } from '../../../src/protocol/configuration.js';
import { explore } from '../../../verification/exhaustive/explorer.js';
import { forEachChoice } from '../../../verification/exhaustive/move.js';
import type { Scenario } from '../../../verification/exhaustive/scenario.js';
import { withoutStacks } from '../../../verification/simulation/without-stacks.js';
import type { ScenarioSystem, World } from '../../../verification/exhaustive/world.js';
import { type End, EveryMessage } from './every-message.js';
import { configurationOf, smallScenario } from './small-scenarios.js';

/** Every state in which acceptors can be once any of the requests that are still under way arrived. */
function endsOf({ proposers, invoked, sites }: World, system: ScenarioSystem): End[] {
  const ends: End[] = [];
  const outcomes = JSON.stringify(proposers.map(({ performed }) => performed));
  forEachChoice(
    sites.map((site) => [...system.sites.restOf(site).registers]),
    (held) => {
      const registers = held.map((register) => {
        const stored = system.acceptors.holding(register).registers.get('k');
        return stored ? JSON.stringify(stored) : '';
      });
      ends.push({ outcomes, registers, after: invoked.flat() });
    },
  );
  return ends;
}

/** The same end whatever the acceptors are called. */
const shapeOf = ({ outcomes, registers }: End): string => JSON.stringify([outcomes, [...registers].sort()]);
const wholeOf = (end: End): string => JSON.stringify([shapeOf(end), end.after]);
const isAsStrict = (a: End, b: End): boolean =>
  a.after.every((counts, op) => counts.every((count, client) => count >= (b.after[op]?.[client] ?? 0)));

/** Acceptors that are not alike. */
const UNLIKE: Configuration = { era: 1, prepare: { nodes: ['a1'], quorum: 1 }, accept: { nodes: ['a1', 'a2'], quorum: 2 } };

describe('a search that takes every message as a step of its own', () => {
  const cases: [string, Scenario][] = [
    ['a write by itself, three acceptors, one loss', smallScenario(configurationOf(3), 1, ['cas'])],
    ['two writes by themselves, two acceptors, one loss', smallScenario(configurationOf(2), 1, ['cas', 'cas'])],
    ['a write and a read by quorum, two acceptors', smallScenario(configurationOf(2), 0, ['cas'], ['get'])],
    ['a write and a read by a round, one acceptor, one loss', smallScenario(configurationOf(1), 1, ['cas'], ['settle'])],
    ['two writes, one acceptor, one loss', smallScenario(configurationOf(1), 1, ['cas'], ['cas'])],
    ['two writes and a third, one acceptor', smallScenario(configurationOf(1), 0, ['cas', 'cas'], ['cas'])],
    ['a write and a read by a round, one acceptor that promises and two that accept', smallScenario(UNLIKE, 0, ['cas'], ['settle'])],
  ];
  const compare = async (_: string, small: Scenario): Promise<void> => {
    const plain = await withoutStacks(() => new EveryMessage(small).run());
    const reduced = new Map<string, End>();
    const { violation } = await explore(small, {
      onEnd: (world, system) => endsOf(world, system).forEach((end) => reduced.set(wholeOf(end), end)),
    });
    expect(violation).toBeUndefined();
    const ends = [...plain.ends.values()];
    expect(new Set([...reduced.values()].map(shapeOf))).toEqual(new Set(ends.map(shapeOf)));
    const all = new Set(ends.map(wholeOf));
    expect([...reduced.keys()].filter((end) => !all.has(end))).toEqual([]);
    const byShape = new Map<string, End[]>();
    for (const end of reduced.values()) byShape.set(shapeOf(end), [...(byShape.get(shapeOf(end)) ?? []), end]);
    expect(ends.filter((end) => !byShape.get(shapeOf(end))?.some((strict) => isAsStrict(strict, end)))).toEqual([]);
  };
  it.each(cases)('ends in the same ways as the explorer: %s', compare, 600_000);
});
