import { getEventListeners } from 'node:events';
import { VersionMismatch } from '../../../src/store/errors.js';
import { describe, expect, it } from 'vitest';
import { KeyQueue } from '../../../src/store/key-queue.js';
import { DEFAULT_LIMITS } from '../../../src/store/limits.js';
import { systemTime } from '../../../src/store/system-time.js';
import { VirtualTime } from '../../../verification/simulation/virtual-time.js';
import { CommitError, ConcurrentRequestError, NotConfigured, PrepareError, StaleConfiguration } from '../../../src/protocol/errors.js';
import type { Outcome } from '../../../src/store/records.js';
import type { KeyValue, Operation } from '../../../src/store/kv.js';

const DONE = { ver: 1, val: 'done' };
const write = (ver: number): Operation => ({ ver, val: `of ${ver}` });

const queueOf = (kv: Pick<KeyValue, 'runBatch'>, patienceMs = 10_000): KeyQueue =>
  new KeyQueue({ kv, time: systemTime, random: Math.random, limits: { ...DEFAULT_LIMITS, patienceMs } });

/** Rounds that end when the test says so, by key and operations. */
class Rounds {
  readonly begun: {
    key: string;
    operations: readonly Operation[];
    isContended: boolean | undefined;
    end: (outcomes: Outcome[]) => void;
    fail: (error: Error) => void;
  }[] = [];

  runBatch(key: string, operations: readonly Operation[], isContended?: boolean): Promise<Outcome[]> {
    return new Promise((resolve, reject) => this.begun.push({ key, operations, isContended, end: resolve, fail: reject }));
  }

  async at(index: number): Promise<Rounds['begun'][number]> {
    for (;;) {
      const round = this.begun[index];
      if (round) return round;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

describe('the queue of a key', () => {
  it('gathers what comes while a round is under way, in the order of arrival, and carries it in the next', async () => {
    const rounds = new Rounds();
    const queue = queueOf(rounds);
    const outcomes = Promise.all([write(0), write(1), 'read' as const].map((operation) => queue.run('key', operation)));
    (await rounds.at(0)).end([DONE]);
    const next = await rounds.at(1);
    expect(rounds.begun.map(({ operations }) => operations)).toEqual([[write(0)], [write(1), 'read']]);
    next.end([{ ver: 2, val: 'two' }, DONE]);
    expect(await outcomes).toEqual([DONE, { ver: 2, val: 'two' }, DONE]);
  });

  it('does not hold up another key', async () => {
    const rounds = new Rounds();
    const queue = queueOf(rounds);
    void queue.run('key', 'read');
    const other = queue.run('other', 'read');
    (await rounds.at(1)).end([DONE]);
    expect(await other).toEqual(DONE);
  });

  it.each([PrepareError, ConcurrentRequestError, StaleConfiguration])(
    'repeats what sent no accept, with what came since: %o',
    async (kind) => {
      const rounds = new Rounds();
      const queue = queueOf(rounds);
      const lost = queue.run('key', write(0));
      const fresh = queue.run('key', write(1));
      (await rounds.at(0)).end([new kind('lost')]);
      const again = await rounds.at(1);
      expect(again.operations).toEqual([write(0), write(1)]);
      again.end([DONE, DONE]);
      expect(await Promise.all([lost, fresh])).toEqual([DONE, DONE]);
    },
  );

  it.each([CommitError, NotConfigured, VersionMismatch, TypeError])('repeats nothing that ended otherwise: %o', async (kind) => {
    const rounds = new Rounds();
    const queue = queueOf(rounds);
    const error = new kind('over');
    const ended = queue.run('key', write(0));
    (await rounds.at(0)).end([error]);
    await expect(ended).rejects.toBe(error);
    const next = queue.run('key', write(1));
    const round = await rounds.at(1);
    expect(round.operations).toEqual([write(1)]);
    round.end([DONE]);
    expect(await next).toEqual(DONE);
  });

  it('does not begin what waited too long: certainly not applied', async () => {
    const rounds = new Rounds();
    const queue = queueOf(rounds, 20);
    const inTheWay = queue.run('key', write(0));
    const impatient = queue.run('key', write(1));
    await new Promise((resolve) => setTimeout(resolve, 40));
    (await rounds.at(0)).end([DONE]);
    await expect(impatient).rejects.toThrow(PrepareError);
    expect(await inTheWay).toEqual(DONE);
    expect(rounds.begun).toHaveLength(1);
  });

  it('ends what failed until its deadline with its last error', async () => {
    let last: Error | undefined;
    let attempts = 0;
    const runBatch = (): Promise<Outcome[]> => Promise.resolve([(last = new PrepareError(`attempt ${(attempts += 1)}`))]);
    const reason: unknown = await queueOf({ runBatch }, 200)
      .run('key', 'read')
      .catch((error: unknown) => error);
    expect(reason).toBe(last);
    expect(attempts).toBeGreaterThan(2);
  });

  it('goes on after a round that threw, which is an error of ours', async () => {
    const rounds = new Rounds();
    const queue = queueOf(rounds);
    const broken = queue.run('key', 'read');
    const next = queue.run('key', 'read');
    (await rounds.at(0)).fail(new TypeError('ours'));
    await expect(broken).rejects.toThrow('ours');
    (await rounds.at(1)).end([DONE]);
    expect(await next).toEqual(DONE);
  });

  it('says of a key that others write it, too, from a miss until a lone operation goes through', async () => {
    const rounds = new Rounds();
    const queue = queueOf(rounds);
    const outcomes: Outcome[] = [new VersionMismatch('missed'), DONE, DONE];
    for (const [index, outcome] of outcomes.entries()) {
      const ended = queue.run('key', write(index)).catch(() => undefined);
      (await rounds.at(index)).end([outcome]);
      await ended;
    }
    expect(rounds.begun.map(({ isContended }) => isContended)).toEqual([false, true, false]);
  });

  it('refuses what is too much, and takes more when there is room again', async () => {
    const rounds = new Rounds();
    const queue = queueOf(rounds);
    const all = Array.from({ length: DEFAULT_LIMITS.operationsWaitingMax }, () => queue.run('key', 'read'));
    await expect(queue.run('other', 'read')).rejects.toThrow(ConcurrentRequestError);
    (await rounds.at(0)).end([DONE]);
    const { operations, end } = await rounds.at(1);
    end(operations.map(() => DONE));
    await Promise.all(all);
    void queue.run('other', 'read');
    expect((await rounds.at(2)).key).toBe('other');
  });

  it('leaves, certainly not applied, when its signal says so before its round, and is told its outcome when it says so later', async () => {
    const rounds = new Rounds();
    const queue = queueOf(rounds);
    const [early, late] = [new AbortController(), new AbortController()];
    const running = queue.run('key', write(0), late.signal);
    const waiting = queue.run('key', write(1), early.signal);
    const behind = queue.run('key', write(2));
    early.abort(new Error('no longer wanted'));
    late.abort(new Error('too late'));
    await expect(waiting).rejects.toThrow('no longer wanted');
    (await rounds.at(0)).end([DONE]);
    expect(await running).toEqual(DONE);
    const next = await rounds.at(1);
    expect(next.operations).toEqual([write(2)]);
    next.end([DONE]);
    expect(await behind).toEqual(DONE);
  });

  it('lets go of a signal that outlives it, and does not begin under one that was aborted before', async () => {
    const rounds = new Rounds();
    const queue = queueOf(rounds);
    const controller = new AbortController();
    const { signal } = controller;
    const all = [queue.run('key', write(0), signal), queue.run('key', write(1), signal), queue.run('key', write(2), signal)];
    (await rounds.at(0)).end([DONE]);
    (await rounds.at(1)).end([DONE, new VersionMismatch('of another version', { key: 'key', ver: 7, val: 0 })]);
    await Promise.allSettled(all);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    controller.abort('no longer wanted');
    await expect(queue.run('key', write(3), signal)).rejects.toBe('no longer wanted');
    expect(rounds.begun).toHaveLength(2);
  });
});

describe('a round that sent nothing', () => {
  const { retryPauseMaxMs } = DEFAULT_LIMITS;

  /** When each attempt of an operation began that failed so often before it went through. */
  async function startsOf(failures: number, random: () => number): Promise<number[]> {
    const time = new VirtualTime();
    const startsMs: number[] = [];
    const runBatch = (): Promise<Outcome[]> => {
      startsMs.push(time.nowMs());
      return Promise.resolve([startsMs.length > failures ? DONE : new PrepareError('lost')]);
    };
    const queue = new KeyQueue({ kv: { runBatch }, time, random, limits: { ...DEFAULT_LIMITS, patienceMs: 10_000 } });
    await time.run(queue.run('key', 'read'));
    return startsMs;
  }

  it.each([0, 1, 5])('that fails %i times is repeated until it goes through', async (times) => {
    expect(await startsOf(times, Math.random)).toHaveLength(times + 1);
  });

  it('is repeated after pauses that differ, also after many', async () => {
    const startsMs = await startsOf(25, Math.random);
    const pauses = startsMs.slice(6).map((startMs, index) => startMs - (startsMs[index + 5] ?? 0));
    expect(pauses.filter((pauseMs) => pauseMs < retryPauseMaxMs / 2).length).toBeGreaterThan(2);
    expect(pauses.filter((pauseMs) => pauseMs > retryPauseMaxMs / 2).length).toBeGreaterThan(2);
  });

  it('is repeated after pauses that grow to the longest, and no further', async () => {
    const startsMs = await startsOf(8, () => 1);
    expect(startsMs.slice(1).map((startMs, index) => startMs - (startsMs[index] ?? 0))).toEqual([2, 4, 8, 16, 32, 50, 50, 50]);
  });
});
