import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordedOperation } from '../../../verification/checkers/history.js';
import { checkLinearizability } from '../../../verification/checkers/linearizability.js';
import { someOrderExplains } from './orders.js';
import { anyHistory, bentHistory, longTrueHistory, trueHistory } from './random-histories.js';

const RUNS = 5_000;

/** Judges histories both ways. Returns how many were good and how many bad. */
function judgeBothWays(histories: fc.Arbitrary<RecordedOperation[]>): { good: number; bad: number } {
  const count = { good: 0, bad: 0 };
  fc.assert(
    fc.property(histories, (operations) => {
      const good = someOrderExplains(operations);
      count[good ? 'good' : 'bad'] += 1;
      expect(checkLinearizability(operations) === undefined).toBe(good);
    }),
    { numRuns: RUNS },
  );
  return count;
}

/** The history up to and with an event: what is answered later is still running. */
function until(operations: readonly RecordedOperation[], event: number): RecordedOperation[] {
  return operations
    .filter(({ invokedAt }) => invokedAt <= event)
    .map(({ returned, ...invocation }) => (returned && returned.at <= event ? { ...invocation, returned } : invocation));
}

describe('the checker and the definition of linearizability agree', () => {
  it('on what a register answered: all good', () => {
    expect(judgeBothWays(trueHistory)).toEqual({ good: RUNS, bad: 0 });
  });

  it('on what a register answered, but for one answer', () => {
    const { good, bad } = judgeBothWays(bentHistory);
    expect(Math.min(good, bad)).toBeGreaterThan(RUNS / 10);
  });

  it('on answers at random', () => {
    const { good, bad } = judgeBothWays(anyHistory);
    expect(Math.min(good, bad)).toBeGreaterThan(RUNS / 10);
  });

  it('on which response is the first that cannot be placed', () => {
    const named = fc.property(fc.oneof(bentHistory, anyHistory), (operations) => {
      const violation = checkLinearizability(operations);
      const culprit = operations
        .filter(({ returned }) => returned && !someOrderExplains(until(operations, returned.at)))
        .sort((a, b) => (a.returned?.at ?? 0) - (b.returned?.at ?? 0))[0];
      expect(violation?.message.split("'")[0]).toBe(culprit?.client);
    });
    fc.assert(named, { numRuns: 2_000 });
  });
});

it('finds nothing wrong in long histories of a register', () => {
  fc.assert(
    fc.property(longTrueHistory(200), (operations) => {
      expect(checkLinearizability(operations)).toBeUndefined();
    }),
    { numRuns: 50 },
  );
});
