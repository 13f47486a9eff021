import { expect, it } from 'vitest';
import { Load, type LoadOptions, type Seen } from '../../../bench/load/load.js';
import { type HeldValue, NotServed, type LoadedStore } from '../../../bench/load/loaded-store.js';
import { NetworkError } from '../../../src/http/client.js';

/** Answers each request with the next of these, in turn; an error is thrown. */
class FakeStore implements LoadedStore {
  readonly written: [string, unknown][] = [];
  asked = 0;
  readonly #held: unknown;
  readonly #answers: readonly (boolean | Error)[];

  constructor(held: unknown, ...answers: (boolean | Error)[]) {
    this.#held = held;
    this.#answers = answers;
  }

  async read(): Promise<HeldValue> {
    this.asked += 1;
    // As over a network: other clients and timers have their turn.
    await new Promise(setImmediate);
    return { ver: 1, val: this.#held };
  }

  async write(key: string, _held: HeldValue, val: unknown): Promise<boolean> {
    const answer = this.#answers[this.written.length % this.#answers.length];
    this.written.push([key, val]);
    if (answer instanceof Error) throw answer;
    return answer ?? true;
  }

  async close(): Promise<void> {
    this.asked = -1;
  }
}

async function run(options: Omit<LoadOptions, 'clients'>, isDone: () => boolean): Promise<Seen> {
  const load = new Load({ ...options, clients: 1 });
  while (!isDone()) await new Promise(setImmediate);
  const seen = load.look();
  await load.stop();
  return seen;
}

it('writes back what it read with one more, and counts what took effect and what came too late', async () => {
  const store = new FakeStore(7, true, false);
  const seen = await run({ stores: [store], keys: ['k'] }, () => store.written.length >= 10);
  expect(store.written[0]).toEqual(['k', 8]);
  expect(Math.abs(seen.writes - seen.mismatches)).toBeLessThanOrEqual(1);
  expect(seen.operations.count).toBe(seen.writes + seen.mismatches);
  expect(seen).toMatchObject({ networkErrors: 0, otherAnswers: {} });
});

it('counts up a value that has something beside its count, and begins with 1', async () => {
  const [large, absent] = [new FakeStore([7, 'xx']), new FakeStore(undefined)];
  await run({ stores: [large], keys: ['k'] }, () => large.written.length > 0);
  await run({ stores: [absent], keys: ['k'] }, () => absent.written.length > 0);
  expect([large.written[0]?.[1], absent.written[0]?.[1]]).toEqual([[8, 'xx'], 1]);
});

it('only reads, where that is the share, and closes the store at the end', async () => {
  const store = new FakeStore(7);
  const seen = await run({ stores: [store], keys: ['k'], shareOfReads: 1 }, () => store.asked >= 10);
  expect(seen.operations.count).toBeGreaterThanOrEqual(9);
  expect([store.written, seen.writes, store.asked]).toEqual([[], 0, -1]);
});

it('counts what was not served by its reason, apart from what got no answer, and neither as an operation', async () => {
  const store = new FakeStore(7, new NotServed('CommitError'), new NetworkError('reset'));
  const seen = await run({ stores: [store], keys: ['k'] }, () => store.written.length >= 6);
  expect(seen.operations.count).toBe(0);
  expect(seen.otherAnswers['CommitError']).toBeGreaterThanOrEqual(2);
  expect(seen.networkErrors).toBeGreaterThanOrEqual(2);
});

it('turns to the next node with what one did not serve, and stays there', async () => {
  const [broken, sound] = [new FakeStore(7, new NetworkError('reset')), new FakeStore(7)];
  const seen = await run({ stores: [broken, sound], keys: ['k'], fallsOver: true }, () => sound.written.length >= 5);
  expect([broken.written.length, seen.networkErrors]).toEqual([1, 1]);
});

it('stays with its node where it is not told to turn to another', async () => {
  const [broken, sound] = [new FakeStore(7, new NetworkError('reset')), new FakeStore(7)];
  await run({ stores: [broken, sound], keys: ['k'] }, () => broken.written.length >= 5);
  expect(sound.written).toEqual([]);
});

it('goes to the node of each key, where keys have one', async () => {
  const [first, second] = [new FakeStore(7), new FakeStore(7)];
  const nodeOf = (key: string): number => (key === 'a' ? 1 : 0);
  await run({ stores: [first, second], keys: ['a', 'b'], nodeOf }, () => first.written.length >= 5 && second.written.length >= 5);
  expect([first, second].map(({ written }) => [...new Set(written.map(([key]) => key))])).toEqual([['b'], ['a']]);
});

it('begins to count anew with each look', async () => {
  const store = new FakeStore(7);
  const load = new Load({ stores: [store], keys: ['k'], clients: 1 });
  while (store.written.length < 20) await new Promise(setImmediate);
  const [first, second] = [load.look(), load.look()];
  await load.stop();
  expect(first.writes).toBeGreaterThanOrEqual(19);
  expect([second.writes, second.operations.count, second.requests.count]).toEqual([0, 0, 0]);
});
