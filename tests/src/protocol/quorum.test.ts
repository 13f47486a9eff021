import { describe, expect, it } from 'vitest';
import { containsQuorum, gather } from '../../../src/protocol/quorum.js';
import { VirtualTime } from '../../../verification/simulation/virtual-time.js';

const NODES = ['a', 'b', 'c'];
const never = (): Promise<never> => new Promise(() => undefined);
const undecided = (): boolean => false;

describe('a quorum', () => {
  it('counts the members of its set, and nobody else', () => {
    const set = { nodes: NODES, quorum: 2 };
    expect(containsQuorum(set, ['a'])).toBe(false);
    expect(containsQuorum(set, ['a', 'x', 'y'])).toBe(false);
    expect(containsQuorum(set, ['c', 'x', 'a'])).toBe(true);
  });

  it('is never had from an empty set', () => {
    expect(containsQuorum({ nodes: [], quorum: 0 }, [])).toBe(false);
    expect(containsQuorum({ nodes: [], quorum: 0 }, ['a'])).toBe(false);
  });
});

describe('gathering replies', () => {
  it('asks every node at once', async () => {
    const asked: string[] = [];
    void gather(NODES, (node) => (asked.push(node), never()), undecided, new VirtualTime(), { timeoutMs: 100 });
    expect(asked).toEqual(NODES);
  });

  it('settles with the reply that decides, without waiting for the rest', async () => {
    const time = new VirtualTime();
    const ask = (node: string): Promise<string> => (node === 'c' ? never() : Promise.resolve(node.toUpperCase()));
    const replies = await time.run(gather(NODES, ask, (soFar) => soFar.size === 2, time, { timeoutMs: 100 }));
    expect([...replies]).toEqual([
      ['a', 'A'],
      ['b', 'B'],
    ]);
    expect(time.nowMs()).toBe(0);
  });

  it('asks after every answer and failure whether it is decided, also after the last', async () => {
    const seen: string[] = [];
    const time = new VirtualTime();
    const ask = async (node: string): Promise<string> => {
      if (node === 'b') throw new Error('gone');
      return node;
    };
    const decide = (replies: ReadonlyMap<string, string>, outstanding: number): boolean => {
      seen.push(`${[...replies.keys()].join('')} ${outstanding}`);
      return false;
    };
    await time.run(gather(NODES, ask, decide, time, { timeoutMs: 100 }));
    expect(seen.map((line) => Number(line.split(' ')[1]))).toEqual([2, 1, 0]);
    expect(seen.at(-1)).toBe('ac 0');
  });

  it('settles at once when every node has answered or failed', async () => {
    const time = new VirtualTime();
    const ask = (node: string): Promise<string> => (node === 'a' ? Promise.resolve('A') : Promise.reject(new Error('refused')));
    expect([...(await time.run(gather(NODES, ask, undecided, time, { timeoutMs: 100 })))]).toEqual([['a', 'A']]);
    expect(time.nowMs()).toBe(0);
  });

  it('takes a node that cannot even be asked for one that failed', async () => {
    const time = new VirtualTime();
    const ask = (node: string): Promise<string> => {
      if (node === 'b') throw new TypeError('no such node');
      return Promise.resolve(node);
    };
    const replies = await time.run(gather(NODES, ask, undecided, time, { timeoutMs: 100 }));
    expect([...replies.keys()]).toEqual(['a', 'c']);
    expect(time.pending).toBe(0);
  });

  it('ends after the time-out, with the nodes that answered by then', async () => {
    const time = new VirtualTime();
    const replies = await time.run(
      gather(NODES, (node) => (node === 'a' ? Promise.resolve('A') : never()), undecided, time, { timeoutMs: 100 }),
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
      ['a', 'b'],
      (node) => (node === 'a' ? late : lateFailure),
      () => ((decisions += 1), false),
      time,
      { timeoutMs: 100 },
    );
    const replies = await time.run(gathered);
    answer();
    fail();
    await time.settle();
    expect(replies.size).toBe(0);
    expect(decisions).toBe(0);
  });

  it('calls its time-out off once it has settled', async () => {
    const time = new VirtualTime();
    await time.run(
      gather(
        ['a'],
        async () => 'A',
        () => true,
        time,
        { timeoutMs: 100 },
      ),
    );
    expect(time.pending).toBe(0);
  });

  describe('that asks some at first', () => {
    const ask = (answers: Record<string, Promise<string>>, asked: string[]) => (node: string) => {
      asked.push(node);
      return answers[node] ?? never();
    };
    const bothOf = (soFar: ReadonlyMap<string, string>): boolean => soFar.size === 2;
    const [a, b, c] = [Promise.resolve('a'), Promise.resolve('b'), Promise.resolve('c')];
    const patience = { timeoutMs: 100, atFirst: 2, lateMs: 10 };

    it('leaves the others alone where those decide', async () => {
      const time = new VirtualTime();
      const asked: string[] = [];
      await time.run(gather(NODES, ask({ a, b, c }, asked), bothOf, time, patience));
      await time.settle();
      expect(asked).toEqual(['a', 'b']);
      expect(time.nowMs()).toBe(0);
      expect(time.pending).toBe(0);
    });

    it('asks the others where those have answered and do not decide, without a wait', async () => {
      const time = new VirtualTime();
      const asked: string[] = [];
      const replies = await time.run(gather(NODES, ask({ a, b, c }, asked), (soFar) => soFar.size === 3, time, patience));
      expect([...replies.keys()]).toEqual(['a', 'b', 'c']);
      expect(time.nowMs()).toBe(0);
    });

    it('asks the others at once where one fails', async () => {
      const time = new VirtualTime();
      const asked: string[] = [];
      const replies = await time.run(gather(NODES, ask({ a: Promise.reject(new Error('gone')), b, c }, asked), bothOf, time, patience));
      expect([...replies.keys()]).toEqual(['b', 'c']);
      expect(time.nowMs()).toBe(0);
    });

    it('asks the others where one is late, and says which', async () => {
      const time = new VirtualTime();
      const asked: string[] = [];
      const late: string[] = [];
      const onLate = (node: string): void => void late.push(node);
      const replies = await time.run(gather(NODES, ask({ b, c }, asked), bothOf, time, { ...patience, onLate }));
      expect([...replies.keys()]).toEqual(['b', 'c']);
      expect(time.nowMs()).toBe(10);
      expect(late).toEqual(['a']);
    });

    it('does not wait for one that is late where all others have answered, be it the first asked or the last', async () => {
      for (const silent of ['a', 'c']) {
        const time = new VirtualTime();
        const answers = Object.fromEntries(Object.entries({ a, b, c }).filter(([node]) => node !== silent));
        const replies = await time.run(gather(NODES, ask(answers, []), (soFar) => soFar.size === 3, time, patience));
        expect([...replies.keys()]).toEqual(Object.keys(answers));
        expect(time.nowMs()).toBe(10);
        expect(time.pending).toBe(0);
      }
    });

    const after = (time: VirtualTime, delayMs: number, answer: string): Promise<string> =>
      new Promise((resolve) => time.after(delayMs, () => resolve(answer)));

    it('waits for those that are late where the others are no more than they', async () => {
      const time = new VirtualTime();
      const replies = await time.run(gather(['a', 'b'], ask({ a, b: after(time, 50, 'b') }, []), bothOf, time, patience));
      expect([...replies.keys()]).toEqual(['a', 'b']);
      expect(time.nowMs()).toBe(50);
    });

    it('waits for those that were asked later, also once one that was late has answered', async () => {
      const time = new VirtualTime();
      const answers = { a, b: after(time, 20, 'b'), c: after(time, 30, 'c') };
      const replies = await time.run(gather(NODES, ask(answers, []), (soFar) => soFar.size === 3, time, patience));
      expect([...replies.keys()]).toEqual(['a', 'b', 'c']);
      expect(time.nowMs()).toBe(30);
    });

    it('waits no longer in all than without', async () => {
      const time = new VirtualTime();
      await time.run(gather(NODES, never, bothOf, time, patience));
      expect(time.nowMs()).toBe(100);
    });
  });
});
