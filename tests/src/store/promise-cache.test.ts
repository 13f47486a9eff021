import { describe, expect, it } from 'vitest';
import { promiseCache } from '../../../src/store/promise-cache.js';
import { PiggybackedPromises } from '../../../src/protocol/promises.js';

const promised = (counter: number, value = 'v'): { ballot: { era: 1; counter: number; proposer: 1; incarnation: 1 }; value: string } => ({
  ballot: { era: 1, counter, proposer: 1, incarnation: 1 },
  value,
});

describe('the cache of promises', () => {
  it('makes room where there are too many, the longest unused first', () => {
    const promises = new PiggybackedPromises(promiseCache());
    for (let key = 0; key < 200_000; key += 1) promises.keep(String(key), promised(key));
    const kept = Array.from({ length: 200_000 }, (_, key) => key).filter((key) => promises.take(String(key)));
    expect(kept.length).toBeGreaterThan(10_000);
    expect(kept.length).toBeLessThanOrEqual(53_000);
    expect(kept.at(-1)).toBe(199_999);
    expect(kept[0]).toBe(200_000 - kept.length);
  });

  it('makes room where their values are too long', () => {
    const promises = new PiggybackedPromises(promiseCache());
    const value = 'x'.repeat(64 * 1024);
    for (let key = 0; key < 1_000; key += 1) promises.keep(String(key), promised(key, value));
    const kept = Array.from({ length: 1_000 }, (_, key) => key).filter((key) => promises.take(String(key)));
    expect(kept.length).toBeGreaterThan(100);
    expect(kept.length).toBeLessThan(520);
  });
});
