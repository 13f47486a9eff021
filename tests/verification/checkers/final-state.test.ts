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

/** An append and a set acknowledged, the set twice; a deletion unknown. */
const CHANGES = told(`
  A append a
  A written 1 a
  A set b as N
  A unknown
  A set b as N
  A written 2
  A set b as N
  A written 2
  B append c
  B refused
  B delete
  B unknown`);

it.each([
  [2, 'b', undefined],
  [3, null, undefined],
  [2, 'x a', undefined],
  [1, 'a', 'fewer versions than writes that were acknowledged (2 writes acknowledged, 1 unknown)'],
  [4, 'b', 'more versions than writes that can have made them (2 writes acknowledged, 1 unknown)'],
  [2, 'b c', 'a value that none of its writes can have left'],
])('counts writes under a name once, and goes by the last word: version %i %s', (ver, val, message) => {
  const found = checkFinalState(CHANGES, { ver, val })?.message;
  if (message === undefined) expect(found).toBeUndefined();
  else expect(found).toContain(message);
});

it('does not count versions where some may have been left out', () => {
  expect(checkFinalState(CHANGES, { ver: 9, val: 'b' }, true)).toBeUndefined();
  expect(checkFinalState(CHANGES, { ver: 0, val: null }, true)).toBeUndefined();
  expect(checkFinalState(CHANGES, { ver: 1, val: 'a' }, true)?.message).toContain('fewer versions');
});
