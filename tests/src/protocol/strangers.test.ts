import { describe, expect, it } from 'vitest';
import type { Configuration } from '../../../src/protocol/configuration.js';
import { CommitError, PrepareError } from '../../../src/protocol/errors.js';
import { type Memory, MemoryAcceptor } from '../../../src/protocol/memory-acceptor.js';
import { keepValue } from '../../../src/protocol/change.js';
import { Registers } from '../../registers.js';
import { VirtualTime } from '../../../verification/simulation/virtual-time.js';

const NAMES = ['a1', 'a2', 'a3'];
const idOf = (name: string): string => `${name}#1`;
const newest = (value: string) => (): string => value;

/** Acceptors that know who they are, and proposers that mean them. */
function world(identities = Object.fromEntries(NAMES.map((name) => [name, idOf(name)]))): {
  memories: Record<string, Memory>;
  lose: (name: string, becomes?: string) => void;
  proposer: (id: number) => Registers;
} {
  const memories: Record<string, Memory> = Object.fromEntries(
    NAMES.map((name) => [name, { registers: new Map(), identity: idOf(name) } satisfies Memory]),
  );
  const set = { nodes: NAMES, quorum: 2 };
  const configuration: Configuration = { era: 1, prepare: set, accept: set, identities };
  return {
    memories,
    lose: (name, becomes) => (memories[name] = { registers: new Map(), ...(becomes !== undefined && { identity: becomes }) }),
    proposer: (id) =>
      new Registers({
        ...{ id, incarnation: 1, configuration, time: new VirtualTime(), timeoutMs: 100 },
        acceptor: (name, meant) => new MemoryAcceptor(memories[name], meant),
      }),
  };
}

describe('a proposer', () => {
  it('goes on without an acceptor that has forgotten, and gives it nothing', async () => {
    const { memories, lose, proposer } = world();
    await proposer(1).apply('k', newest('v'));
    lose('a2');
    const other = proposer(2);
    await other.read('k');
    await other.apply('k', keepValue).catch(() => 'outrun');
    expect(await other.apply('k', keepValue)).toBe('v');
    expect(await other.apply('new', newest('w'))).toBe('w');
    expect(await other.read('new')).toEqual({ value: 'w' });
    expect(memories['a2']?.registers.size).toBe(0);
  });

  it('does not take two that have forgotten for a quorum that never heard of the key', async () => {
    const { lose, proposer } = world();
    const first = proposer(1);
    await first.apply('k', newest('v'));
    lose('a1');
    lose('a2', 'a2#2');
    const second = proposer(2);
    expect(await second.read('k')).toBeUndefined();
    expect(await second.read('never written')).toBeUndefined();
    const refused = second.apply('k', keepValue);
    await expect(refused).rejects.toThrow(PrepareError);
    await expect(refused).rejects.toThrow(/; a1 and a2 lost the data or is another acceptor and is not used$/);
    // This one needs no prepare any more.
    const unknown = first.apply('k', newest('w'));
    await expect(unknown).rejects.toThrow(CommitError);
    await expect(unknown).rejects.toThrow(/acceptors accepted.*; a1 and a2 lost the data/);
  });

  it('without identities would: the write that was acknowledged is gone', async () => {
    const { lose, proposer } = world({});
    await proposer(1).apply('k', newest('v'));
    lose('a1');
    lose('a2');
    expect(await proposer(2).read('k')).toEqual({ value: null });
  });

  it('names nobody where acceptors only do not answer', async () => {
    const set = { nodes: NAMES, quorum: 2 };
    const alone = new Registers({
      ...{ id: 2, incarnation: 1, time: new VirtualTime(), timeoutMs: 100, configuration: { era: 2, prepare: set, accept: set } },
      acceptor: () => {
        throw new Error('connection refused');
      },
    });
    await expect(alone.apply('k', keepValue)).rejects.toThrow(/preferred a higher ballot$/);
  });
});
