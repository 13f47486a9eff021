import { describe, expect, it } from 'vitest';
import { memoryAcceptors, memoryState } from '../../../src/store/memory.js';
import { BadRequest } from '../../../src/store/errors.js';
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

  it('takes no key with half of a character, which on Redis would be the register of all such keys', async () => {
    const store = createStore({ id: 1, state: memoryState(), acceptors: memoryAcceptors() });
    for (const key of ['\ud800', 'a\udc00', '\udc00\ud800']) {
      await expect(store.get(key)).rejects.toThrow(BadRequest);
      await expect(store.cas(key, 0, 1)).rejects.toThrow(BadRequest);
    }
    await expect(store.get('a \u{1f600}')).rejects.not.toThrow(BadRequest);
  });
});
