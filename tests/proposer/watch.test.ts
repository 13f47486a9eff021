import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ROUNDS_WATCHED, WATCH_MS, WATCHED_VALUE_MAX_BYTES } from '../../proposer/limits.js';
import { Watch } from '../../proposer/watch.js';
import type { Acceptor } from '../../src/protocol/acceptor.js';
import { type Ballot, ZERO_BALLOT } from '../../src/protocol/ballot.js';
import { MemoryAcceptor } from '../../src/protocol/memory-acceptor.js';

const SETS = { prepare: { nodes: ['a1'], quorum: 1 }, accept: { nodes: ['a1'], quorum: 1 } };
const ballot = (counter: number): Ballot => ({ ...ZERO_BALLOT, era: 1, counter, proposer: 1 });
const stored = (val: unknown, ver = 1): string => JSON.stringify({ ver, val, ops: [] });

describe('a proposer', () => {
  let plain: Acceptor;
  let watch: Watch;
  const found = (): Acceptor => watch.acceptors.get('a1');
  const round = async (key: string, counter: number, value = stored('v')): Promise<void> => {
    await found().prepare(key, ballot(counter));
    await found().accept(key, ballot(counter), value, ballot(counter + 1));
  };

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    plain = new MemoryAcceptor();
    watch = new Watch({ get: () => plain }, 1, () => ({ era: 1, ...SETS }));
  });
  afterEach(() => {
    watch.stop();
    vi.useRealTimers();
  });

  it('that watches no key asks the acceptors themselves, and records nothing', async () => {
    expect(found()).toBe(plain);
    await round('k', 1);
    expect(watch.look()).toBeUndefined();
    watch.start('k');
    expect(found()).not.toBe(plain);
    expect(watch.look()?.rounds).toEqual([]);
    watch.stop();
    expect(found()).toBe(plain);
    await round('k', 2);
    expect(watch.look()).toBeUndefined();
  });

  it('records the rounds of the key that it watches, and of no other', async () => {
    watch.start('k');
    await round('other', 1);
    await round('k', 3, stored('green', 7));
    const timed = { sentAtMs: expect.any(Number) as number, tookMs: expect.any(Number) as number };
    expect(watch.look()).toEqual({
      proposer: 1,
      key: 'k',
      endsInMs: WATCH_MS,
      rounds: [
        {
          ...{ ballot: '1.3.1.0', next: '1.4.1.0', value: { version: 7, text: '"green"' }, ...SETS },
          messages: [
            { phase: 'prepare', acceptor: 'a1', outcome: 'ok', ballot: '', ...timed },
            { phase: 'accept', acceptor: 'a1', outcome: 'ok', ...timed },
          ],
        },
      ],
    });
  });

  it('tells what stood in the way, and why there was no answer', async () => {
    watch.start('k');
    await round('k', 5);
    await found().prepare('k', ballot(2));
    plain.prepare = () => Promise.reject(new Error('nobody is there'));
    await found()
      .prepare('k', ballot(9))
      .catch(() => undefined);
    const [, refused, unanswered] = watch.look()?.rounds ?? [];
    expect(refused?.messages).toMatchObject([{ outcome: 'conflict', ballot: '1.6.1.0' }]);
    expect(unanswered?.messages).toMatchObject([{ outcome: 'failed', reason: 'nobody is there' }]);
  });

  it('tells of a message that is not answered yet, and of its answer', async () => {
    let answer: (() => void) | undefined;
    plain.prepare = () =>
      new Promise((resolve) => (answer = () => resolve({ ok: true, ...ZERO_BALLOT, ballot: ZERO_BALLOT, value: null })));
    watch.start('k');
    const call = found().prepare('k', ballot(1));
    expect(watch.look()?.rounds[0]?.messages[0]).not.toHaveProperty('outcome');
    answer?.();
    await call;
    expect(watch.look()?.rounds[0]?.messages[0]).toMatchObject({ outcome: 'ok' });
  });

  it('keeps a bounded number of rounds, the last ones, and of a value its beginning', async () => {
    watch.start('k');
    for (let counter = 1; counter <= ROUNDS_WATCHED + 10; counter += 1) await round('k', counter, stored('ä'.repeat(500), counter));
    const { rounds = [] } = watch.look() ?? {};
    expect(rounds).toHaveLength(ROUNDS_WATCHED);
    expect(rounds.at(-1)?.ballot).toBe(`1.${ROUNDS_WATCHED + 10}.1.0`);
    const { text = '' } = rounds.at(-1)?.value ?? {};
    // A quotation mark, and characters of two bytes each: the last one would be cut in two.
    expect(text).toBe(`"${'ä'.repeat(Math.floor((WATCHED_VALUE_MAX_BYTES - 1) / 2))}…`);
  });

  it('watches one key at a time; the same one keeps its rounds', async () => {
    watch.start('k');
    await round('k', 1);
    watch.start('k');
    expect(watch.look()?.rounds).toHaveLength(1);
    watch.start('other');
    expect(watch.look()).toMatchObject({ key: 'other', rounds: [] });
    await round('k', 3);
    expect(watch.look()?.rounds).toEqual([]);
  });

  it('watches a tombstone', async () => {
    watch.start('k');
    await round('k', 1, JSON.stringify({ ver: 3, val: null, ops: [], deleted: true }));
    expect(watch.look()?.rounds[0]?.value).toEqual({ version: 3, text: '', isDeleted: true });
  });

  it('shows a value that is none of ours as it is', async () => {
    await found().accept('k', ballot(1), 'a stranger put this here', ballot(2));
    watch.start('k');
    await found().prepare('k', ballot(3));
    expect(watch.look()?.rounds[0]?.messages).toMatchObject([{ outcome: 'ok', value: { version: 0, text: 'a stranger put this here' } }]);
  });

  it('watches on as long as somebody looks, and no longer', () => {
    watch.start('k');
    vi.advanceTimersByTime(WATCH_MS - 1);
    expect(watch.look()).toBeDefined();
    vi.advanceTimersByTime(WATCH_MS - 1);
    expect(watch.look()).toBeDefined();
    vi.advanceTimersByTime(WATCH_MS);
    expect(watch.look()).toBeUndefined();
    expect(found()).toBe(plain);
  });
});
