import { expect, it } from 'vitest';
import { checkFinalState } from '../../../verification/checkers/final-state.js';
import { told } from './told.js';

/** Two writes acknowledged, one unknown, one never answered; two that count for nothing; and two reads, one of them open. */
const WRITES = told(`
  A put 0 a
  A written
  A put 1 b
  A written
  A put 2 c
  A unknown
  B put 2 d
  C put 2 e
  C refused
  C put 0 f
  C 2 b
  D get
  D 2 b
  D get
  D unknown
  D get`);

it.each([
  [2, 'b'],
  [3, 'c'],
  [3, 'd'],
  [4, 'd'],
])('within what was written: version %i %s', (ver, val) => {
  expect(checkFinalState(WRITES, { ver, val })).toBeUndefined();
});

it.each([
  [1, 'a', 'the key ended at version 1 "a", which is fewer versions than writes that were acknowledged (2 writes acknowledged, 2 unknown)'],
  [0, null, 'fewer versions'],
  [5, 'd', 'the key ended at version 5 "d", which is more versions than writes that can have made them (2 writes acknowledged, 2 unknown)'],
  [NaN, 'd', 'fewer versions'],
  [3, 'e', 'the key ended at version 3 "e", a value that none of its writes can have left (2 writes acknowledged, 2 unknown)'],
  [3, 'f', 'a value that none of its writes can have left'],
  [3, 'x', 'a value that none of its writes can have left'],
  [3, null, 'a value that none of its writes can have left'],
])('not within what was written: version %d %s', (ver, val, message) => {
  expect(checkFinalState(WRITES, { ver, val })).toMatchObject({
    rule: 'final state',
    key: 'k',
    message: expect.stringContaining(message) as string,
  });
});

it('a key that nobody wrote does not exist', () => {
  expect(checkFinalState([], { ver: 0, val: null })).toBeUndefined();
  expect(checkFinalState([], { ver: 0, val: 'x' })).toMatchObject({ key: '' });
  expect(checkFinalState([], { ver: 1, val: 'x' })).toBeDefined();
  expect(checkFinalState(told('A put 0 a'), { ver: 0, val: null })).toBeUndefined();
});
