import { describe, expect, it } from 'vitest';
import type { Acceptor } from '../../src/protocol/acceptor.js';
import { type Ballot, ZERO_BALLOT } from '../../src/protocol/ballot.js';

const LARGEST = Number.MAX_SAFE_INTEGER;
const ballot = (era: number, counter: number, proposer = 1, incarnation = 1): Ballot => ({ era, counter, proposer, incarnation });
const b = (counter: number, proposer = 1): Ballot => ballot(1, counter, proposer);
const promised = (accepted: Ballot = ZERO_BALLOT, value: string | null = null): object => ({ ok: true, ballot: accepted, value });
const conflict = (barrier: Ballot): object => ({ ok: false, conflict: barrier });
const OK = { ok: true };

/** What every acceptor does, whatever it is made of (rule 6). Each test has keys of its own. */
export function describeAcceptor(name: string, acceptor: () => Acceptor): void {
  let keys = 0;
  const freshKey = (): string => `${name} ${(keys += 1)}`;
  /** Prepares and accepts as a proposer does: promised `counter`, accepted there, and promised the next one along with it. */
  async function accepted(counter: number, value: string): Promise<string> {
    const key = freshKey();
    expect(await acceptor().prepare(key, b(counter))).toMatchObject(OK);
    expect(await acceptor().accept(key, b(counter), value, b(counter + 1))).toEqual(OK);
    return key;
  }

  describe(`${name}: prepare`, () => {
    it('promises a register that it never heard of', async () => {
      expect(await acceptor().prepare(freshKey(), b(1))).toEqual(promised());
    });

    it('returns what was accepted, with its ballot', async () => {
      const key = await accepted(3, 'v');
      expect(await acceptor().prepare(key, b(5))).toEqual(promised(b(3), 'v'));
    });

    it('refuses a ballot at or below the promise, and names the promise', async () => {
      const key = freshKey();
      await acceptor().prepare(key, b(5));
      for (const counter of [5, 4]) expect(await acceptor().prepare(key, b(counter))).toEqual(conflict(b(5)));
      expect(await acceptor().prepare(key, b(6))).toEqual(promised());
    });

    it('refuses a ballot at or below the accepted one, and names what stood in the way', async () => {
      const key = freshKey();
      await acceptor().accept(key, b(5), 'v', b(5));
      for (const counter of [5, 4]) expect(await acceptor().prepare(key, b(counter))).toEqual(conflict(b(5)));
    });

    it('refuses a ballot at or below a piggybacked promise', async () => {
      const key = await accepted(3, 'v');
      for (const counter of [3, 4]) expect(await acceptor().prepare(key, b(counter))).toEqual(conflict(b(4)));
    });

    it('that was refused changes nothing', async () => {
      const key = await accepted(3, 'v');
      await acceptor().prepare(key, b(2));
      expect(await acceptor().read(key)).toMatchObject({ ballot: b(3), value: 'v' });
      expect(await acceptor().accept(key, b(4), 'w', b(5))).toEqual(OK);
    });
  });

  describe(`${name}: accept`, () => {
    it('takes a value at the promise, and above it', async () => {
      const key = freshKey();
      await acceptor().prepare(key, b(3));
      expect(await acceptor().accept(key, b(3), 'at', b(3))).toEqual(OK);
      expect(await acceptor().accept(key, b(7), 'above', b(8))).toEqual(OK);
      expect(await acceptor().read(key)).toMatchObject({ ballot: b(7), value: 'above' });
    });

    it('takes a value for a register that was never prepared', async () => {
      const key = freshKey();
      expect(await acceptor().accept(key, b(1), 'v', b(2))).toEqual(OK);
      expect(await acceptor().read(key)).toMatchObject({ ballot: b(1), value: 'v' });
    });

    it('refuses a ballot below the promise, names the promise, and keeps its value', async () => {
      const key = await accepted(3, 'v');
      await acceptor().prepare(key, b(9));
      expect(await acceptor().accept(key, b(4), 'late', b(10))).toEqual(conflict(b(9)));
      expect(await acceptor().read(key)).toMatchObject({ ballot: b(3), value: 'v' });
      expect(await acceptor().accept(key, b(9), 'w', b(10))).toEqual(OK);
    });

    it('refuses a ballot below the accepted one', async () => {
      const key = freshKey();
      await acceptor().accept(key, b(5), 'v', b(5));
      expect(await acceptor().accept(key, b(4), 'old', b(4))).toEqual(conflict(b(5)));
      expect(await acceptor().read(key)).toMatchObject({ ballot: b(5), value: 'v' });
    });

    it('refuses the value that it holds under another ballot below the promise, on either side of the accepted one', async () => {
      const key = await accepted(3, 'v');
      await acceptor().prepare(key, b(9));
      for (const counter of [2, 4]) expect(await acceptor().accept(key, b(counter), 'v', b(20))).toEqual(conflict(b(9)));
      expect(await acceptor().read(key)).toMatchObject({ ballot: b(3), value: 'v' });
    });

    it('says yes again to the same ballot with the same value, also after a higher promise', async () => {
      const key = await accepted(3, 'v');
      expect(await acceptor().accept(key, b(3), 'v', b(4))).toEqual(OK);
      await acceptor().prepare(key, b(9));
      expect(await acceptor().accept(key, b(3), 'v', b(4))).toEqual(OK);
      expect(await acceptor().prepare(key, b(9))).toEqual(conflict(b(9)));
      expect(await acceptor().read(key)).toMatchObject({ ballot: b(3), value: 'v' });
    });

    it('refuses the same ballot with another value, though the promise be no higher', async () => {
      const key = freshKey();
      await acceptor().accept(key, b(3), 'v', b(3));
      expect(await acceptor().accept(key, b(3), 'w', b(3))).toEqual(conflict(b(3)));
      expect(await acceptor().accept(key, b(3), null, b(3))).toEqual(conflict(b(3)));
      expect(await acceptor().read(key)).toMatchObject({ ballot: b(3), value: 'v' });
    });

    it('does not take an earlier value back, once a later one was accepted', async () => {
      const key = await accepted(3, 'v');
      await acceptor().accept(key, b(4), 'w', b(5));
      expect(await acceptor().accept(key, b(3), 'v', b(4))).toEqual(conflict(b(5)));
      expect(await acceptor().read(key)).toMatchObject({ ballot: b(4), value: 'w' });
    });

    it.each([
      // promise before, ballot, piggyback: the largest stands in the way afterwards
      ['the piggyback', 2, 3, 8, 8],
      ['the ballot', 2, 8, 3, 8],
      ['the promise, at the ballot,', 8, 8, 3, 8],
    ])('sets the promise to %s where that is the largest', async (_which, promise, counter, next, largest) => {
      const key = freshKey();
      await acceptor().prepare(key, b(promise));
      await acceptor().accept(key, b(counter), 'v', b(next));
      expect(await acceptor().prepare(key, b(largest))).toEqual(conflict(b(largest)));
      expect(await acceptor().accept(key, b(largest - 1, 9), 'w', b(largest - 1, 9))).toEqual(conflict(b(largest)));
      expect(await acceptor().prepare(key, b(largest + 1))).toMatchObject(OK);
    });

    it('raises the promise, never lowers it, where it says yes again', async () => {
      const key = await accepted(3, 'v');
      expect(await acceptor().accept(key, b(3), 'v', b(12))).toEqual(OK);
      expect(await acceptor().prepare(key, b(12))).toEqual(conflict(b(12)));
      expect(await acceptor().accept(key, b(3), 'v', b(5))).toEqual(OK);
      expect(await acceptor().prepare(key, b(12))).toEqual(conflict(b(12)));
    });

    it('does not raise the promise where it refuses', async () => {
      const key = await accepted(3, 'v');
      expect(await acceptor().accept(key, b(2), 'w', b(50))).toEqual(conflict(b(4)));
      expect(await acceptor().prepare(key, b(5))).toEqual(promised(b(3), 'v'));
    });
  });

  describe(`${name}: ballots`, () => {
    it.each([
      ['era', ballot(9, 5, 5, 5), ballot(10, 1, 1, 1)],
      ['counter', ballot(1, 9, 5, 5), ballot(1, 10, 1, 1)],
      ['proposer', ballot(1, 1, 9, 5), ballot(1, 1, 10, 1)],
      ['incarnation', ballot(1, 1, 1, 9), ballot(1, 1, 1, 10)],
      ['era at its largest', ballot(LARGEST - 1, 1), ballot(LARGEST, 1)],
      ['counter at its largest', ballot(1, LARGEST - 1), ballot(1, LARGEST)],
      ['proposer at its largest', ballot(1, 1, LARGEST - 1), ballot(1, 1, LARGEST)],
      ['incarnation at its largest', ballot(1, 1, 1, LARGEST - 1), ballot(1, 1, 1, LARGEST)],
    ])('are compared by number, not as text: %s', async (_part, lower, higher) => {
      const [up, down, taken] = [freshKey(), freshKey(), freshKey()];
      await acceptor().prepare(up, lower);
      expect(await acceptor().prepare(up, higher)).toEqual(promised());
      await acceptor().prepare(down, higher);
      expect(await acceptor().prepare(down, lower)).toEqual(conflict(higher));
      expect(await acceptor().accept(down, lower, 'v', lower)).toEqual(conflict(higher));
      await acceptor().accept(taken, lower, 'v', lower);
      expect(await acceptor().accept(taken, higher, 'w', higher)).toEqual(OK);
      expect(await acceptor().prepare(taken, lower)).toEqual(conflict(higher));
    });

    it('come back exactly, up to 2^53 - 1 in every part', async () => {
      const key = freshKey();
      const huge = ballot(LARGEST, LARGEST, LARGEST, LARGEST - 1);
      const last = ballot(LARGEST, LARGEST, LARGEST, LARGEST);
      expect(await acceptor().accept(key, huge, 'v', huge)).toEqual(OK);
      expect(await acceptor().read(key)).toMatchObject({ ballot: huge, value: 'v' });
      expect(await acceptor().prepare(key, last)).toEqual(promised(huge, 'v'));
      expect(await acceptor().prepare(key, last)).toEqual(conflict(last));
    });
  });

  describe(`${name}: registers`, () => {
    it('that nobody wrote read as empty, and reading changes nothing', async () => {
      const key = freshKey();
      expect(await acceptor().read(key)).toMatchObject({ ballot: ZERO_BALLOT, value: null });
      await acceptor().prepare(key, b(5));
      expect(await acceptor().read(key)).toMatchObject({ ballot: ZERO_BALLOT, value: null });
      expect(await acceptor().prepare(key, b(6))).toEqual(promised());
    });

    it('can hold the empty value under a real ballot', async () => {
      const key = freshKey();
      expect(await acceptor().accept(key, b(4), null, b(5))).toEqual(OK);
      expect(await acceptor().accept(key, b(4), null, b(5))).toEqual(OK);
      expect(await acceptor().accept(key, b(4), 'v', b(5))).toEqual(conflict(b(5)));
      expect(await acceptor().read(key)).toMatchObject({ ballot: b(4), value: null });
      expect(await acceptor().prepare(key, b(6))).toEqual(promised(b(4), null));
    });

    it.each([
      '__proto__',
      'constructor',
      'a\u0000b',
      '\u0000',
      ' ',
      '\r\n',
      'r:',
      '*',
      '{a}',
      'ключ',
      '🔑',
      'e\u0301',
      '\u00e9',
      'x'.repeat(512),
    ])('of the key %j are their own', async (key) => {
      const value = `of ${key}`;
      expect(await acceptor().read(key)).toMatchObject({ ballot: ZERO_BALLOT, value: null });
      expect(await acceptor().prepare(key, b(1))).toEqual(promised());
      expect(await acceptor().accept(key, b(1), value, b(2))).toEqual(OK);
      expect(await acceptor().read(key)).toMatchObject({ ballot: b(1), value });
    });

    it.each([
      ['64 KiB', 'v'.repeat(65_536)],
      ['64 KiB of three-byte characters', '€'.repeat(21_845)],
      ['control characters and quotes', '\u0000\r\n\t"\\\u2028'],
      ['emoji', '👩‍🚀 '.repeat(100)],
      ['what looks like a ballot', '1.2.3.4'],
      ['what looks like a number', '9007199254740993'],
    ])('hold %s unchanged', async (_what, value) => {
      const key = await accepted(3, value);
      expect(await acceptor().read(key)).toMatchObject({ ballot: b(3), value });
      expect(await acceptor().prepare(key, b(5))).toEqual(promised(b(3), value));
      expect(await acceptor().accept(key, b(3), value, b(4))).toEqual(OK);
    });
  });
}
