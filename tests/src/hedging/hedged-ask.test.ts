import { describe, expect, it } from 'vitest';
import { hedgedAsk } from '../../../src/hedging/hedged-ask.js';
import { VirtualTime } from '../../../verification/simulation/virtual-time.js';

const NODES = ['a', 'b', 'c'];
const never = (): Promise<never> => new Promise(() => undefined);

describe('a hedged ask', () => {
  const send = (answers: Record<string, Promise<string>>, asked: string[]) => (node: string) => {
    asked.push(node);
    return answers[node] ?? never();
  };
  const bothOf = (soFar: ReadonlyMap<string, string>): boolean => soFar.size === 2;
  const all = (soFar: ReadonlyMap<string, string>): boolean => soFar.size === 3;
  const unlessOutnumbered = (soFar: ReadonlyMap<string, string>, outstanding: number, late: number): boolean =>
    all(soFar) || (outstanding === late && late < soFar.size);
  const [a, b, c] = [Promise.resolve('a'), Promise.resolve('b'), Promise.resolve('c')];
  const nothing = (): void => undefined;
  const PATIENCE = { timeoutMs: 100, atFirst: 2, lateMs: 10, onLate: nothing, onFailure: nothing };

  it('leaves the others alone where those decide', async () => {
    const time = new VirtualTime();
    const asked: string[] = [];
    await time.run(hedgedAsk(NODES, send({ a, b, c }, asked), bothOf, { time, ...PATIENCE }));
    await time.settle();
    expect(asked).toEqual(['a', 'b']);
    expect(time.nowMs()).toBe(0);
    expect(time.pending).toBe(0);
  });

  it('asks the others where those have answered and do not decide, without a wait', async () => {
    const time = new VirtualTime();
    const asked: string[] = [];
    const replies = await time.run(hedgedAsk(NODES, send({ a, b, c }, asked), all, { time, ...PATIENCE }));
    expect([...replies.keys()]).toEqual(['a', 'b', 'c']);
    expect(time.nowMs()).toBe(0);
  });

  it('asks the others at once where one fails', async () => {
    const time = new VirtualTime();
    const asked: string[] = [];
    const replies = await time.run(
      hedgedAsk(NODES, send({ a: Promise.reject(new Error('gone')), b, c }, asked), bothOf, { time, ...PATIENCE }),
    );
    expect([...replies.keys()]).toEqual(['b', 'c']);
    expect(time.nowMs()).toBe(0);
  });

  it('ends where all have failed', async () => {
    const time = new VirtualTime();
    const gone = Object.fromEntries(NODES.map((node) => [node, Promise.reject(new Error('gone'))]));
    const replies = await time.run(hedgedAsk(NODES, send(gone, []), bothOf, { time, ...PATIENCE }));
    expect([replies.size, time.nowMs(), time.pending]).toEqual([0, 0, 0]);
  });

  it('asks the others where one is late, and says which', async () => {
    const time = new VirtualTime();
    const asked: string[] = [];
    const late: string[] = [];
    const onLate = (node: string): void => void late.push(node);
    const replies = await time.run(hedgedAsk(NODES, send({ b, c }, asked), bothOf, { time, ...PATIENCE, onLate }));
    expect([...replies.keys()]).toEqual(['b', 'c']);
    expect(time.nowMs()).toBe(10);
    expect(late).toEqual(['a']);
  });

  const after = (time: VirtualTime, delayMs: number, answer: string): Promise<string> =>
    new Promise((resolve) => time.after(delayMs, () => resolve(answer)));

  it('says how many of those that may still answer are late, be it the first asked or the last', async () => {
    for (const silent of ['a', 'c']) {
      const time = new VirtualTime();
      const answers = Object.fromEntries(Object.entries({ a, b, c }).filter(([node]) => node !== silent));
      const replies = await time.run(hedgedAsk(NODES, send(answers, []), unlessOutnumbered, { time, ...PATIENCE }));
      expect([...replies.keys()]).toEqual(Object.keys(answers));
      expect(time.nowMs()).toBe(10);
      expect(time.pending).toBe(0);
    }
  });

  it('counts as late neither what was asked later, nor what has answered since', async () => {
    const time = new VirtualTime();
    const answers = { a, b: after(time, 20, 'b'), c: after(time, 30, 'c') };
    const replies = await time.run(hedgedAsk(NODES, send(answers, []), unlessOutnumbered, { time, ...PATIENCE }));
    expect([...replies.keys()]).toEqual(['a', 'b', 'c']);
    expect(time.nowMs()).toBe(30);
  });

  it('waits for those that are late where that is not decided without them', async () => {
    const time = new VirtualTime();
    const answers = { a, b, c: after(time, 50, 'c') };
    const replies = await time.run(hedgedAsk(NODES, send(answers, []), all, { time, ...PATIENCE }));
    expect([...replies.keys()]).toEqual(['a', 'b', 'c']);
    expect(time.nowMs()).toBe(50);
  });

  it('waits no longer in all than without', async () => {
    const time = new VirtualTime();
    await time.run(hedgedAsk(NODES, never, bothOf, { time, ...PATIENCE }));
    expect(time.nowMs()).toBe(100);
  });
});
