import { describe, expect, it } from 'vitest';
import { PiggybackedPromises } from '../../../src/protocol/promises.js';

const promised = (counter: number, value = 'v'): { ballot: { era: 1; counter: number; proposer: 1; incarnation: 1 }; value: string } => ({
  ballot: { era: 1, counter, proposer: 1, incarnation: 1 },
  value,
});

describe('a piggybacked promise', () => {
  it('is good for one round', () => {
    const promises = new PiggybackedPromises();
    promises.keep('k', promised(1));
    expect(promises.take('k')).toEqual(promised(1));
    expect(promises.take('k')).toBeUndefined();
  });

  it('of another key is another one, and all are gone after a change of configuration', () => {
    const promises = new PiggybackedPromises();
    promises.keep('k', promised(1));
    expect(promises.take('K')).toBeUndefined();
    promises.clear();
    expect(promises.take('k')).toBeUndefined();
  });

  it('makes room where there are too many, the longest unused first', () => {
    const promises = new PiggybackedPromises();
    for (let key = 0; key < 200_000; key += 1) promises.keep(String(key), promised(key));
    const kept = Array.from({ length: 200_000 }, (_, key) => key).filter((key) => promises.take(String(key)));
    expect(kept.length).toBeGreaterThan(10_000);
    expect(kept.length).toBeLessThanOrEqual(53_000);
    expect(kept.at(-1)).toBe(199_999);
    expect(kept[0]).toBe(200_000 - kept.length);
  });

  it('makes room where their values are too long', () => {
    const promises = new PiggybackedPromises();
    const value = 'x'.repeat(64 * 1024);
    for (let key = 0; key < 1_000; key += 1) promises.keep(String(key), promised(key, value));
    const kept = Array.from({ length: 1_000 }, (_, key) => key).filter((key) => promises.take(String(key)));
    expect(kept.length).toBeGreaterThan(100);
    expect(kept.length).toBeLessThan(520);
  });
});
