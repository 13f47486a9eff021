import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Counts, FAILURE_REASONS } from '../../proposer/counts.js';
import type { OperationKind } from '../../src/store/options.js';
import { type Acceptor } from '../../src/protocol/acceptor.js';
import { ZERO_BALLOT } from '../../src/protocol/ballot.js';
import { PrepareError, StrangerError, TimedOut, UnfitAcceptor } from '../../src/protocol/errors.js';
import { NotConnected, RefusedToRun } from '../../src/redis/refusals.js';
import { MemoryAcceptor } from '../../src/protocol/memory-acceptor.js';
import { countedBy } from './counted-acceptor.js';

const ballot = (counter: number) => ({ ...ZERO_BALLOT, counter });

describe('an operation', () => {
  let counts: Counts;
  let durations: [kind: OperationKind, seconds: number][];
  beforeEach(() => {
    durations = [];
    counts = new Counts((...duration) => durations.push(duration));
  });
  const count = (kind: OperationKind, running: Promise<unknown>): void => counts.events.onOperation?.(kind, running);

  it('is in flight until it ends, and is counted then', async () => {
    let end: ((result: string) => void) | undefined;
    const running = new Promise<string>((resolve) => (end = resolve));
    count('read', running);
    count('read', new Promise(() => undefined));
    expect(counts.operations.read).toMatchObject({ inFlight: 2, outcomes: new Map() });
    end?.('result');
    await vi.waitFor(() => expect(counts.operations.read).toEqual({ inFlight: 1, outcomes: new Map([['ok', 1]]) }));
    expect(counts.operations.write).toEqual({ inFlight: 0, outcomes: new Map() });
  });

  it('that fails is counted by its code, and one that fails in another way as a fault of ours', async () => {
    count('write', Promise.reject(new PrepareError('no quorum')));
    count('write', Promise.reject(new PrepareError('again')));
    count('write', Promise.reject(new TypeError('a bug')));
    const outcomes = new Map([
      ['PrepareError', 2],
      ['InternalError', 1],
    ]);
    await vi.waitFor(() => expect(counts.operations.write).toEqual({ inFlight: 0, outcomes }));
  });

  it('took as long as it took, in seconds, whatever came of it', async () => {
    count('rescan', sleep(50));
    await vi.waitFor(() => expect(durations).toHaveLength(1));
    count('write', Promise.reject(new Error()));
    await vi.waitFor(() => expect(durations).toHaveLength(2));
    expect(durations.map(([kind]) => kind)).toEqual(['rescan', 'write']);
    expect(durations[0]?.[1]).toBeGreaterThan(0.045);
    expect(durations[0]?.[1]).toBeLessThan(5);
    expect(durations[1]?.[1]).toBeLessThan(0.045);
  });
});

describe('what a proposer is about to do', () => {
  it('is counted by its phase, and the promises that made one needless by themselves', () => {
    const counts = new Counts(() => undefined);
    for (const phase of ['read', 'prepare', 'accept', 'accept'] as const) counts.events.onPhase?.(phase);
    counts.events.onPromiseUsed?.();
    expect(counts.roundTrips).toEqual({ read: 1, prepare: 1, accept: 2 });
    expect(counts.promisesUsed).toBe(1);
  });
});

describe('the calls of an acceptor', () => {
  const failing = (error: Error): Acceptor => {
    const fail = (): Promise<never> => Promise.reject(error);
    return { prepare: fail, accept: fail, read: fail };
  };
  const none = { ok: 0, conflict: 0, failed: 0, stranger: 0, unfit: 0 };
  let counts: Counts;
  beforeEach(() => (counts = new Counts(() => undefined)));

  it('are counted by phase and outcome, and answered as without', async () => {
    const acceptor = countedBy(counts, 'a', new MemoryAcceptor());
    expect(await acceptor.prepare('k', ballot(2))).toMatchObject({ ok: true });
    expect(await acceptor.prepare('k', ballot(1))).toEqual({ ok: false, conflict: ballot(2) });
    expect(await acceptor.accept('k', ballot(2), 'value', ballot(3))).toEqual({ ok: true });
    expect(await acceptor.accept('k', ballot(1), 'value', ballot(3))).toMatchObject({ ok: false });
    expect(await acceptor.accept('k', ballot(1), 'value', ballot(3))).toMatchObject({ ok: false });
    expect(await acceptor.read('k')).toMatchObject({ value: 'value', promise: ballot(3) });
    expect(counts.calls.get('a')).toEqual({
      read: { ...none, ok: 1 },
      prepare: { ...none, ok: 1, conflict: 1 },
      accept: { ...none, ok: 1, conflict: 2 },
    });
  });

  it('tell no answer from that of a stranger, and of one that is unfit', async () => {
    const [silent, strange, unfit] = [new Error('nobody is there'), new StrangerError('somebody else'), new UnfitAcceptor('set up wrong')];
    await expect(countedBy(counts, 'a', failing(silent)).read('k')).rejects.toBe(silent);
    await expect(countedBy(counts, 'a', failing(strange)).prepare('k', ballot(1))).rejects.toBe(strange);
    await expect(countedBy(counts, 'b', failing(silent)).accept('k', ballot(1), 'value', ballot(2))).rejects.toBe(silent);
    await expect(countedBy(counts, 'a', failing(unfit)).accept('k', ballot(1), 'value', ballot(2))).rejects.toBe(unfit);
    expect(counts.calls.get('a')).toEqual({
      read: { ...none, failed: 1 },
      prepare: { ...none, stranger: 1 },
      accept: { ...none, unfit: 1 },
    });
    expect(counts.calls.get('b')).toEqual({ read: none, prepare: none, accept: { ...none, failed: 1 } });
  });

  it('that had no reply are counted by the reason, which is one of a list', async () => {
    const errors = [
      new RefusedToRun('OOM', undefined),
      new RefusedToRun('OOM', undefined),
      new TimedOut('late'),
      new NotConnected(),
      new StrangerError('somebody else'),
      new UnfitAcceptor('set up wrong'),
      new Error('-WHATEVER a server may say'),
    ];
    for (const error of errors) await expect(countedBy(counts, 'a', failing(error)).read('k')).rejects.toBe(error);
    const { OOM, timeout, stranger, unfit, other, 'not connected': notConnected, READONLY } = counts.failures.get('a') ?? {};
    expect([OOM, timeout, notConnected, stranger, unfit, other, READONLY]).toEqual([2, 1, 1, 1, 1, 1, 0]);
    expect(Object.keys(counts.failures.get('a') ?? {})).toEqual(FAILURE_REASONS);
  });

  it('are those of its name, also when it is connected to anew', async () => {
    const first = new MemoryAcceptor();
    expect(countedBy(counts, 'a', first)).toBe(countedBy(counts, 'a', first));
    await countedBy(counts, 'a', first).read('k');
    await countedBy(counts, 'a', new MemoryAcceptor()).read('k');
    expect(counts.calls.get('a')?.read).toEqual({ ...none, ok: 2 });
  });
});
