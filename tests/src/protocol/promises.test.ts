import { describe, expect, it } from 'vitest';
import { PiggybackedPromises } from '../../../src/protocol/promises.js';

const promised = (counter: number, value = 'v'): { ballot: { era: 1; counter: number; proposer: 1; incarnation: 1 }; value: string } => ({
  ballot: { era: 1, counter, proposer: 1, incarnation: 1 },
  value,
});

describe('a piggybacked promise', () => {
  it('is good for one round', () => {
    const promises = new PiggybackedPromises(new Map());
    promises.keep('k', promised(1));
    expect(promises.take('k')).toEqual(promised(1));
    expect(promises.take('k')).toBeUndefined();
  });

  it('of another key is another one, and all are gone after a change of configuration', () => {
    const promises = new PiggybackedPromises(new Map());
    promises.keep('k', promised(1));
    expect(promises.take('K')).toBeUndefined();
    promises.clear();
    expect(promises.take('k')).toBeUndefined();
  });
});
