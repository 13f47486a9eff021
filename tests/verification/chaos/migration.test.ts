import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FIRST, GROW, Migration, SHRINK, type MigrationStep } from '../../../verification/chaos/migration.js';
import type { Finished } from '../../../verification/chaos/script.js';
import { randomFrom } from '../../../client/random.js';
import { VirtualTime } from '../../../verification/simulation/virtual-time.js';
import type { QuorumSet } from '../../../src/protocol/quorum.js';

const README = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
const never = new AbortController().signal;

/** An operator at a control node that answers as told, with success where nothing is told. */
function operator(answers: Finished[] = []): { time: VirtualTime; migration: Migration; typed: string[]; collected: () => number } {
  const time = new VirtualTime();
  const typed: string[] = [];
  let collections = 0;
  const control = async (command: readonly string[]): Promise<Finished> => {
    typed.push(command.join(' '));
    await new Promise<void>((resolve) => time.after(1_000, resolve));
    return answers.shift() ?? { code: 0, output: '' };
  };
  const onCollection = (): void => void (collections += 1);
  const migration = new Migration({ control }, time, () => time.nowMs(), randomFrom(1), onCollection);
  return { time, typed, migration, collected: () => collections };
}

const COLLECT = './run-control.sh collect';
const [GROW_1, GROW_2] = GROW as [MigrationStep, MigrationStep];

describe('the steps', () => {
  it('are the commands of the README, in its order', () => {
    const commands = README.split('\n').filter((line) => /^\.\/(run-control\.sh (add|rm|rescan)|wipe-acceptor-[123]\.sh)/.test(line));
    expect(commands.join('\n')).toContain([...FIRST, ...GROW, ...SHRINK].map(({ command }) => command.join(' ')).join('\n'));
  });

  it('leave the sets that their commands say', () => {
    const sets: Record<'prepare' | 'accept', QuorumSet> = { prepare: { nodes: [], quorum: 0 }, accept: { nodes: [], quorum: 0 } };
    for (const { command, after } of [...FIRST, ...GROW, ...SHRINK, ...GROW]) {
      const [, verb = '', , acceptor = '', quorum] = command;
      const match = /^(add|rm)-(prepare|accept)$/.exec(verb);
      if (match) {
        const phase = match[2] as 'prepare' | 'accept';
        const others = sets[phase].nodes.filter((node) => node !== acceptor);
        sets[phase] = { nodes: match[1] === 'add' ? [...others, acceptor] : others, quorum: Number(quorum) };
      }
      expect(after).toEqual(sets);
    }
  });
});

describe('the operator', () => {
  it('collects where the acceptors stay as they are, and goes on where that is refused', async () => {
    const removed = { code: 0, output: 'looking\n12 registers of deleted keys removed (era 9)\nleft: 1 in use again' };
    const { time, migration, typed, collected } = operator([removed, { code: 1, output: 'acceptor-1 cannot be reached' }]);
    const stop = new AbortController();
    const run = migration.run(stop.signal, never);
    while (migration.grown === 0) await time.advance(100);
    expect(typed.filter((command) => command !== COLLECT)).toEqual(GROW.map(({ command }) => command.join(' ')));
    while (collected() < 9) await time.advance(100);
    stop.abort();
    await time.run(run);
    expect(migration.collections).toEqual({ tried: 9, done: 8, removed: 12 });
    expect(typed.filter((command) => command === COLLECT)).toHaveLength(9);
    expect(migration.failures).toBe(0);
  });

  it('types a command again until it succeeds; meanwhile the sets before it and those after it are possible', async () => {
    const { time, migration, typed } = operator([
      { code: 1, output: 'error: proposer-2 cannot be reached' },
      { code: null, output: '' },
    ]);
    await time.advance(5_000);
    const taken = migration.take(GROW_1, never);
    await time.advance(2_000);
    expect(migration.spans).toEqual([
      { sets: FIRST[1]?.after, fromMs: 0 },
      { sets: GROW_1.after, fromMs: 5_000 },
    ]);
    await time.run(taken);
    expect(typed).toEqual(Array(3).fill(GROW_1.command.join(' ')));
    expect(migration.failures).toBe(2);
    expect(migration.spans).toEqual([
      { sets: FIRST[1]?.after, fromMs: 0, untilMs: time.nowMs() },
      { sets: GROW_1.after, fromMs: 5_000 },
    ]);
    await time.run(migration.take(GROW_2, never));
    expect(migration.spans.map(({ untilMs }) => untilMs)).toEqual([8_600, 9_600, undefined]);
  });

  it('finishes the command under way when it is to stop, and says so where it cannot', async () => {
    const { time, migration, typed } = operator([
      { code: 0, output: 'nothing was removed' },
      { code: 0, output: 'nothing was removed' },
      { code: 1, output: 'not yet' },
    ]);
    const stop = new AbortController();
    const run = migration.run(stop.signal, never);
    while (!typed.includes(GROW_1.command.join(' '))) await time.advance(100);
    stop.abort();
    await time.run(run);
    expect(typed.filter((command) => command !== COLLECT)).toHaveLength(2);
    expect(migration.grown).toBe(0);

    const other = operator([{ code: 1, output: 'not ever' }]);
    await expect(other.time.run(other.migration.take(GROW_1, AbortSignal.abort()))).rejects.toThrow('not ever');
  });

  it('grows and shrinks in turn', async () => {
    const { time, migration, typed } = operator();
    const stop = new AbortController();
    const run = migration.run(stop.signal, never);
    await time.advance(90_000);
    stop.abort();
    await time.run(run);
    const round = [...GROW, ...SHRINK].map(({ command }) => command.join(' '));
    const steps = typed.filter((command) => command !== COLLECT);
    expect(steps.slice(0, round.length + GROW.length)).toEqual([...round, ...round.slice(0, GROW.length)]);
    expect(migration.grown).toBeGreaterThanOrEqual(2);
    expect(migration.shrunk).toBeGreaterThanOrEqual(1);
  });
});
