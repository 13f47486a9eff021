import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Ballot, BallotCounter, compareBallots, formatBallot, parseBallot, ZERO_BALLOT } from '../../../src/protocol/ballot.js';

const LARGEST = Number.MAX_SAFE_INTEGER;
const ballot = (era: number, counter: number, proposer = 1, incarnation = 1): Ballot => ({ era, counter, proposer, incarnation });
const anyPart = fc.oneof(fc.nat(12), fc.maxSafeNat());
const anyBallot = fc.record({ era: anyPart, counter: anyPart, proposer: anyPart, incarnation: anyPart });

describe('a ballot', () => {
  it.each([
    ['era', ballot(10, 1, 1, 1), ballot(9, 99, 99, 99)],
    ['counter', ballot(1, 10, 1, 1), ballot(1, 9, 99, 99)],
    ['proposer', ballot(1, 1, 10, 1), ballot(1, 1, 9, 99)],
    ['incarnation', ballot(1, 1, 1, 10), ballot(1, 1, 1, 9)],
  ])('is compared by number, not as text, %s before what follows it', (_part, higher, lower) => {
    expect(compareBallots(higher, lower)).toBeGreaterThan(0);
    expect(compareBallots(lower, higher)).toBeLessThan(0);
  });

  it('is compared exactly up to 2^53 - 1', () => {
    expect(compareBallots(ballot(0, 0, 0, LARGEST), ballot(0, 0, 0, LARGEST - 1))).toBeGreaterThan(0);
    expect(compareBallots(ballot(LARGEST, 0), ballot(0, LARGEST))).toBeGreaterThan(0);
  });

  it('is ordered totally: one of two different ballots is above the other, and above goes on', () => {
    fc.assert(
      fc.property(anyBallot, anyBallot, anyBallot, (a, b, c) => {
        expect(Math.sign(compareBallots(a, b)) + Math.sign(compareBallots(b, a))).toBe(0);
        expect(compareBallots(a, b) === 0).toBe(formatBallot(a) === formatBallot(b));
        if (compareBallots(a, b) > 0 && compareBallots(b, c) > 0) expect(compareBallots(a, c)).toBeGreaterThan(0);
      }),
    );
  });

  it('survives its way through text', () => {
    fc.assert(
      fc.property(anyBallot, (any) => {
        expect(parseBallot(formatBallot(any))).toEqual(any);
      }),
    );
    expect(formatBallot(ballot(1, LARGEST, 2, 3))).toBe('1.9007199254740991.2.3');
    expect(formatBallot(ZERO_BALLOT)).toBe('');
    expect(parseBallot('')).toEqual(ZERO_BALLOT);
  });

  it.each([
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.',
    '.1.2.3',
    '1.2.3.x',
    '1.2.3.-4',
    '1.2.3.+4',
    '1.2.3.1e3',
    '1.2.3. 4',
    '1.2.3.9007199254740992',
  ])('is never read from "%s", and the message quotes it', (text) => {
    expect(() => parseBallot(text)).toThrow(new TypeError(`not a ballot: "${text}"`));
  });
});

describe('the ballot clock', () => {
  it('never hands out a ballot twice, each above the one before, whatever it sees in between', () => {
    fc.assert(
      fc.property(
        fc.array(fc.option(fc.record({ era: fc.nat(4), counter: fc.nat(50), proposer: fc.nat(3), incarnation: fc.nat(3) }))),
        (seen) => {
          const clock = new BallotCounter(1, 1, 1);
          let last = clock.next();
          for (const other of seen) {
            if (other) clock.fastForward(other);
            const next = clock.next();
            expect(compareBallots(next, last)).toBeGreaterThan(0);
            last = next;
          }
        },
      ),
    );
  });

  it('goes above a ballot that stood in the way', () => {
    const clock = new BallotCounter(1, 1, 1);
    expect(clock.fastForward(ballot(1, 41, 9, 9))).toBe(true);
    expect(clock.next()).toEqual(ballot(1, 42));
  });

  it('is never lowered, not by a lower counter, nor by an earlier era', () => {
    const clock = new BallotCounter(1, 1, 3);
    clock.fastForward(ballot(3, 41));
    clock.fastForward(ballot(3, 7));
    clock.fastForward(ballot(2, 8));
    expect(clock.next()).toEqual(ballot(3, 42));
  });

  it('uses the era after its own only once it has seen it, and keeps to it', () => {
    const clock = new BallotCounter(1, 1, 5);
    expect(clock.next().era).toBe(5);
    expect(clock.fastForward(ballot(6, 3))).toBe(true);
    expect(clock.next().era).toBe(6);
    clock.enterEra(6);
    expect(clock.next().era).toBe(6);
  });

  it('does not follow an era beyond the next, and says so', () => {
    const clock = new BallotCounter(1, 1, 5);
    clock.fastForward(ballot(6, 1));
    expect(clock.fastForward(ballot(7, 99))).toBe(false);
    expect(clock.next()).toEqual(ballot(6, 2));
    clock.enterEra(7);
    expect(clock.fastForward(ballot(8, 99))).toBe(true);
    expect(clock.next()).toEqual(ballot(8, 100));
  });

  it('tells the starts of one proposer apart, and refuses to run past 2^53 - 1', () => {
    expect(new BallotCounter(1, 2, 1).next()).not.toEqual(new BallotCounter(1, 1, 1).next());
    const clock = new BallotCounter(1, 1, 1);
    clock.fastForward(ballot(1, LARGEST));
    expect(() => clock.next()).toThrow(new RangeError('the ballot counter is exhausted'));
  });
});
