import { describe, expect, it } from 'vitest';
import { hedge } from '../../../src/hedging/hedge.js';
import { type Asking, ask } from '../../../src/protocol/ask.js';
import { VirtualTime } from '../../../verification/simulation/virtual-time.js';

const NODES = ['a', 'b', 'c'];
const SETS = [{ nodes: NODES, quorum: 3 }];
const never = (): Promise<never> => new Promise(() => undefined);
const undecided = (): boolean => false;

/** Where all are needed, a hedge does as `ask`. */
const hedged: Asking = (sets, send, isDecided, options) =>
  hedge({ time: options.time, lateMs: options.timeoutMs / 2 })(sets, send, isDecided, options);

describe.each([
  ['ask', ask],
  ['a hedge', hedged],
] as const)('%s', (_name, gather) => {
  it('asks every node at once', async () => {
    const asked: string[] = [];
    void gather(SETS, (node) => (asked.push(node), never()), undecided, { time: new VirtualTime(), timeoutMs: 100 });
    expect(asked).toEqual(NODES);
  });

  it('settles with the reply that decides, without waiting for the rest', async () => {
    const time = new VirtualTime();
    const send = (node: string): Promise<string> => (node === 'c' ? never() : Promise.resolve(node.toUpperCase()));
    const replies = await time.run(gather(SETS, send, (soFar) => soFar.size === 2, { time, timeoutMs: 100 }));
    expect([...replies]).toEqual([
      ['a', 'A'],
      ['b', 'B'],
    ]);
    expect(time.nowMs()).toBe(0);
  });

  it('asks after every answer and failure whether it is decided, also after the last', async () => {
    const seen: string[] = [];
    const time = new VirtualTime();
    const send = async (node: string): Promise<string> => {
      if (node === 'b') throw new Error('gone');
      return node;
    };
    const decide = (replies: ReadonlyMap<string, string>, outstanding: number): boolean => {
      seen.push(`${[...replies.keys()].join('')} ${outstanding}`);
      return false;
    };
    await time.run(gather(SETS, send, decide, { time, timeoutMs: 100 }));
    expect(seen.map((line) => Number(line.split(' ')[1]))).toEqual([2, 1, 0]);
    expect(seen.at(-1)).toBe('ac 0');
  });

  it('settles at once when every node has answered or failed', async () => {
    const time = new VirtualTime();
    const send = (node: string): Promise<string> => (node === 'a' ? Promise.resolve('A') : Promise.reject(new Error('refused')));
    expect([...(await time.run(gather(SETS, send, undecided, { time, timeoutMs: 100 })))]).toEqual([['a', 'A']]);
    expect(time.nowMs()).toBe(0);
  });

  it('takes a node that cannot even be asked for one that failed', async () => {
    const time = new VirtualTime();
    const send = (node: string): Promise<string> => {
      if (node === 'b') throw new TypeError('no such node');
      return Promise.resolve(node);
    };
    const replies = await time.run(gather(SETS, send, undecided, { time, timeoutMs: 100 }));
    expect([...replies.keys()]).toEqual(['a', 'c']);
    expect(time.pending).toBe(0);
  });

  it('ends after the time-out, with the nodes that answered by then', async () => {
    const time = new VirtualTime();
    const replies = await time.run(
      gather(SETS, (node) => (node === 'a' ? Promise.resolve('A') : never()), undecided, { time, timeoutMs: 100 }),
    );
    expect([...replies.keys()]).toEqual(['a']);
    expect(time.nowMs()).toBe(100);
  });

  it('ignores what arrives or fails after the time-out', async () => {
    const time = new VirtualTime();
    let answer = (): void => undefined;
    let fail = (): void => undefined;
    const late = new Promise<string>((resolve) => (answer = () => resolve('late')));
    const lateFailure = new Promise<string>((_, reject) => (fail = () => reject(new Error('late'))));
    let decisions = 0;
    const gathered = gather(
      [{ nodes: ['a', 'b'], quorum: 2 }],
      (node) => (node === 'a' ? late : lateFailure),
      () => ((decisions += 1), false),
      { time, timeoutMs: 100 },
    );
    const replies = await time.run(gathered);
    const decisionsInTime = decisions;
    answer();
    fail();
    await time.settle();
    expect(replies.size).toBe(0);
    expect(decisions).toBe(decisionsInTime);
  });

  it('calls its time-out off once it has settled', async () => {
    const time = new VirtualTime();
    await time.run(
      gather(
        [{ nodes: ['a'], quorum: 1 }],
        async () => 'A',
        () => true,
        { time, timeoutMs: 100 },
      ),
    );
    expect(time.pending).toBe(0);
  });

  it('says why a node did not answer, before it is asked whether that decides, and nothing once it is decided', async () => {
    const told: string[] = [];
    const send = async (node: string): Promise<string> => {
      if (node === 'yes') return node;
      throw new Error(`${node} is gone`);
    };
    const isDecided = (_: unknown, outstanding: number): boolean => {
      told.push(`${outstanding} left`);
      return outstanding === 1;
    };
    const nodes = ['one', 'yes', 'late'];
    await gather([{ nodes, quorum: 3 }], send, isDecided, {
      time: new VirtualTime(),
      timeoutMs: 100,
      onFailure: (node, reason) => told.push(`${node}: ${String(reason)}`),
    });
    await new Promise(setImmediate);
    expect([...told].sort()).toEqual(['1 left', '2 left', 'one: Error: one is gone']);
    expect(told.indexOf('one: Error: one is gone')).toBeLessThan(told.indexOf('1 left'));
  });
});
