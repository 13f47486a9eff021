import { describe, expect, it } from 'vitest';
import { memoryAcceptors, memoryState } from '../../../src/store/memory.js';
import { createStore } from '../../../src/store/store.js';

describe('a store', () => {
  it.each([
    [1.5, 1],
    [-1, 1],
    [0, 1],
    [NaN, 1],
    [2 ** 53, 1],
    [1, -1],
    [1, 0.5],
  ])(
    'is not made with number %s and incarnation %s: no acceptor could compare its ballots, nor give the key to another one',
    (id, incarnation) => {
      const state = { ...memoryState(), incarnation };
      expect(() => createStore({ id, state, acceptors: memoryAcceptors() })).toThrow(RangeError);
    },
  );
});
