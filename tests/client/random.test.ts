import { describe, expect, it } from 'vitest';
import { forkedFrom, randomFrom } from '../../client/random.js';

describe('chance', () => {
  const stream = (seed: number) => Array.from({ length: 20 }, randomFrom(seed));

  it('is the same for the same seed and another for another', () => {
    expect(stream(7)).toEqual(stream(7));
    expect(stream(7)).not.toEqual(stream(8));
  });

  it('covers 0 to 1 evenly', () => {
    const random = randomFrom(1);
    const buckets = Array.from({ length: 10 }, () => 0);
    for (let draw = 0; draw < 10_000; draw += 1) {
      const bucket = Math.floor(random() * 10);
      buckets[bucket] = (buckets[bucket] ?? NaN) + 1;
    }
    for (const count of buckets) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });

  it('gives each coroutine its own stream', () => {
    const random = randomFrom(1);
    const [first, second] = [forkedFrom(random), forkedFrom(random)];
    expect(first()).not.toBe(second());
  });
});
