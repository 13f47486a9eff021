import { describe, expect, it } from 'vitest';
import { hedge } from '../../../src/hedging/hedge.js';
import type { Asking } from '../../../src/protocol/ask.js';
import { TimedOut } from '../../../src/protocol/errors.js';
import { VirtualTime } from '../../../verification/simulation/virtual-time.js';

const LATE_MS = 20;
const TIMEOUT_MS = 300;
const AVOIDED_MS = 1_000;
const MAJORITY = { nodes: ['a', 'b', 'c'], quorum: 2 };
const SETS = [MAJORITY];

/** Asks until a quorum has answered. Each node answers after its delay in milliseconds; one without a delay never does. */
function scene(delaysMs: Record<string, number>) {
  const time = new VirtualTime();
  const asking = hedge({ time, lateMs: LATE_MS });
  const failures: [string, unknown][] = [];
  const ask = async (sets: Parameters<Asking>[0] = SETS, quorum = 2): Promise<{ asked: string; tookMs: number }> => {
    const asked: string[] = [];
    const send = (node: string): Promise<string> => {
      asked.push(node);
      return new Promise((resolve) => {
        const delayMs = delaysMs[node];
        if (delayMs !== undefined) time.after(delayMs, () => resolve(node));
      });
    };
    const beganMs = time.nowMs();
    const onFailure = (node: string, reason: unknown): void => void failures.push([node, reason]);
    const asks = asking(sets, send, (soFar) => soFar.size >= quorum, { time, timeoutMs: TIMEOUT_MS, onFailure });
    await time.run(asks);
    return { asked: asked.sort().join(''), tookMs: time.nowMs() - beganMs };
  };
  return { time, delaysMs, failures, ask };
}

describe('a hedge', () => {
  it('asks a quorum, and no more as long as it answers in time', async () => {
    const { ask } = scene({ a: 1, b: 1, c: 1 });
    for (let asks = 0; asks < 5; asks += 1) expect((await ask()).asked).toHaveLength(2);
  });

  it('waits for a silent one once, does without it for a second, and tries it once then without a wait', async () => {
    const { ask, time } = scene({ b: 1, c: 1 });
    expect(await ask()).toEqual({ asked: 'abc', tookMs: LATE_MS + 1 });
    for (let asks = 0; asks < 9; asks += 1) expect(await ask()).toEqual({ asked: 'bc', tookMs: 1 });
    await time.advance(AVOIDED_MS);
    expect(await ask()).toEqual({ asked: 'abc', tookMs: 1 });
    expect(await ask()).toEqual({ asked: 'bc', tookMs: 1 });
  });

  it('counts on one again that comes back, and not on one that others are always quicker than', async () => {
    const { ask, time, delaysMs } = scene({ b: 2, c: 2 });
    await ask();
    delaysMs['a'] = 3;
    await time.advance(AVOIDED_MS);
    expect((await ask()).asked).toBe('abc');
    for (let asks = 0; asks < 9; asks += 1) expect((await ask()).asked).toBe('bc');
    delaysMs['a'] = 1;
    await time.advance(AVOIDED_MS);
    expect((await ask()).asked).toBe('abc');
    const asked = new Set<string>();
    for (let asks = 0; asks < 30; asks += 1) asked.add((await ask()).asked);
    expect(asked).toEqual(new Set(['ab', 'ac', 'bc']));
  });

  it('counts on one again only if it has answered in time', async () => {
    const { ask, time, delaysMs } = scene({ a: LATE_MS + 5, b: LATE_MS + 5, c: LATE_MS + 10 });
    await ask();
    // Nobody is in time: all are asked at once, so that the two quickest count, as without a hedge.
    for (let asks = 0; asks < 9; asks += 1) expect(await ask()).toEqual({ asked: 'abc', tookMs: LATE_MS + 5 });
    for (const node of MAJORITY.nodes) delaysMs[node] = 1;
    await time.advance(AVOIDED_MS);
    await ask();
    expect((await ask()).asked).toHaveLength(2);
  });

  it('does without one that fails, too, and passes the reason on', async () => {
    const time = new VirtualTime();
    const asking = hedge({ time, lateMs: LATE_MS });
    const gone = new Error('gone');
    const asked: string[] = [];
    const failures: unknown[] = [];
    const send = async (node: string): Promise<string> => {
      asked.push(node);
      if (node === 'a') throw gone;
      return node;
    };
    for (let asks = 0; asks < 4; asks += 1) {
      const onFailure = (node: string, reason: unknown): void => void failures.push([node, reason]);
      await time.run(asking(SETS, send, (soFar) => soFar.size === 2, { time, timeoutMs: TIMEOUT_MS, onFailure }));
    }
    expect(asked.filter((node) => node === 'a')).toHaveLength(1);
    expect(failures).toEqual([['a', gone]]);
  });

  it('says of all who did not answer that they were slow, once the time is over', async () => {
    const { ask, failures } = scene({ b: 1 });
    expect((await ask()).tookMs).toBe(TIMEOUT_MS);
    expect(failures.map(([node]) => node).sort()).toEqual(['a', 'c']);
    for (const [, reason] of failures) {
      expect(reason).toBeInstanceOf(TimedOut);
      expect(String(reason)).toContain(`${TIMEOUT_MS} ms`);
    }
  });

  it('asks all at once where nobody is waited for until he is late', async () => {
    const time = new VirtualTime();
    const asked: string[] = [];
    const asking = hedge({ time, lateMs: LATE_MS })(
      SETS,
      async (node) => asked.push(node),
      (soFar) => soFar.size === 2,
      { time, timeoutMs: LATE_MS },
    );
    await time.run(asking);
    expect(asked).toEqual(MAJORITY.nodes);
  });

  it('goes by the sets that it is asked for, whatever it learned of others', async () => {
    const { ask } = scene({ a: 1, b: 1, c: 1, d: 1, e: 1 });
    await ask();
    expect((await ask([{ nodes: ['d', 'e'], quorum: 1 }], 1)).asked).toMatch(/^[de]$/);
    const growing = [MAJORITY, { nodes: ['c', 'd'], quorum: 2 }];
    expect((await ask(growing, 3)).asked).toMatch(/cd/);
    expect((await ask([MAJORITY, { nodes: ['e'], quorum: 1 }], 3)).asked).toMatch(/^(ab|ac|bc)e$/);
    expect((await ask(SETS)).asked).toMatch(/^(ab|ac|bc)$/);
  });

  it('forgets who was late under other sets', async () => {
    const { ask, delaysMs } = scene({ b: 1, c: 1 });
    await ask();
    delaysMs['a'] = 1;
    const sets = [{ ...MAJORITY, quorum: 1 }];
    const asked = new Set<string>();
    for (let asks = 0; asks < 30; asks += 1) asked.add((await ask(sets, 1)).asked);
    expect(asked).toEqual(new Set(MAJORITY.nodes));
  });
});
