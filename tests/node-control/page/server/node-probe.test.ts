import { beforeEach, describe, expect, it } from 'vitest';
import { NodeProbe } from '../../../../node-control/page/server/node-probe.js';
import { VirtualTime } from '../../../../verification/simulation/virtual-time.js';
import { sleep } from '../../../../src/protocol/time.js';

describe('a probe', () => {
  let time: VirtualTime;
  /** How long the next answers take, in milliseconds; a negative one fails after that time. */
  let takesMs: number;
  let asked: number;
  let listens: boolean;
  let says: string;
  let probe: NodeProbe<number>;

  beforeEach(async () => {
    time = new VirtualTime();
    await time.advance(10_000);
    takesMs = 1;
    asked = 0;
    listens = false;
    says = 'refused';
    const ask = async (): Promise<number> => {
      const number = (asked += 1);
      const ms = takesMs;
      await sleep(time, Math.abs(ms));
      if (ms < 0) throw new Error(says);
      return number;
    };
    probe = new NodeProbe(ask, time, () => Promise.resolve(listens));
  });

  it('keeps the last answer, also of a node that is gone by now', async () => {
    expect(probe.answer).toBeUndefined();
    await time.run(probe.poll());
    expect(probe).toMatchObject({ answer: 1, state: 'healthy' });
    takesMs = -1;
    await time.run(probe.poll());
    expect(probe).toMatchObject({ answer: 1, state: 'gone' });
  });

  it('never asks twice at the same time, and does not wait for what was asked before', async () => {
    takesMs = 5_000;
    const first = probe.poll();
    await probe.poll();
    expect(asked).toBe(1);
    await time.run(first);
    void probe.poll();
    expect(asked).toBe(2);
  });

  it.each([
    [250, 'healthy'],
    [251, 'slow'],
    [1_500, 'slow'],
    [1_501, 'gone'],
  ])('of a node that has said nothing for %i ms calls it %s', async (waitedMs, state) => {
    takesMs = 10_000;
    void probe.poll();
    await time.advance(waitedMs);
    expect(probe.state).toBe(state);
  });

  it.each([
    { what: 'takes connections, and answers nothing', ms: 10_000, isTaken: true, state: 'hangs' },
    { what: 'takes no connection', ms: 10_000, isTaken: false, state: 'gone' },
    { what: 'takes connections, and fails after a long time', ms: -2_000, isTaken: true, state: 'hangs' },
    { what: 'takes connections, and refuses at once', ms: -1, isTaken: true, state: 'gone' },
  ])('of one that $what says: $state', async ({ ms, isTaken, state }) => {
    [takesMs, listens] = [ms, isTaken];
    void probe.poll();
    await time.advance(1_000);
    void probe.poll();
    await time.advance(1_001);
    expect(probe.state).toBe(state);
    [takesMs, listens] = [1, true];
    await time.advance(10_000);
    await time.run(probe.poll());
    expect(probe.state).toBe('healthy');
  });

  it('calls one slow that took long, until it is quick again', async () => {
    takesMs = 3_000;
    await time.run(probe.poll());
    expect(probe.state).toBe('slow');
    takesMs = 250;
    await time.run(probe.poll());
    expect(probe.state).toBe('healthy');
  });

  it('calls one gone that failed, until it answers', async () => {
    takesMs = -1;
    await time.run(probe.poll());
    takesMs = 200;
    const next = probe.poll();
    await time.advance(100);
    expect(probe.state).toBe('gone');
    await time.run(next);
    expect(probe.state).toBe('healthy');
  });

  it('calls one loading that says so, also while it is asked again, until it answers or is gone', async () => {
    [takesMs, listens, says] = [-2_000, true, 'LOADING, it still reads its file. Wait until it has'];
    await time.run(probe.poll());
    expect(probe.state).toBe('loading');
    const next = probe.poll();
    await time.advance(1_800);
    expect(probe.state).toBe('loading');
    await time.run(next);
    [takesMs, says] = [-1, 'refused'];
    await time.run(probe.poll());
    expect(probe.state).toBe('gone');
    [takesMs, says] = [-1, 'LOADING Redis is loading the dataset in memory'];
    await time.run(probe.poll());
    expect(probe.state).toBe('loading');
    takesMs = 1;
    await time.run(probe.poll());
    expect(probe.state).toBe('healthy');
  });
});
