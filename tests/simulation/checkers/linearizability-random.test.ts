import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Operation } from '../../../simulation/checkers/history.js';
import { checkLinearizability } from '../../../simulation/checkers/linearizability.js';
import { someOrderExplains } from './orders.js';
import { anyHistory, bentHistory, trueHistory } from './random-histories.js';

const RUNS = 5_000;

/** Judges histories both ways. Returns how many were good and how many bad. */
function judgeBothWays(histories: fc.Arbitrary<Operation[]>): { good: number; bad: number } {
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

describe('the checker and the definition of linearizability agree', () => {
  it('on what a register answered: all good', () => {
    const count = judgeBothWays(trueHistory);
    expect(count).toEqual({ good: RUNS, bad: 0 });
  });

  it('on what a register answered, but for one answer', () => {
    const { good, bad } = judgeBothWays(bentHistory);
    expect(Math.min(good, bad)).toBeGreaterThan(RUNS / 20);
  });

  it('on answers at random', () => {
    const { good, bad } = judgeBothWays(anyHistory);
    expect(Math.min(good, bad)).toBeGreaterThan(RUNS / 20);
  });
});
