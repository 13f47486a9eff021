import { expect, it } from 'vitest';
import { checkExactlyOnce } from '../../../verification/checkers/exactly-once.js';
import { told } from './told.js';

it.each([
  ['nothing at all', ''],
  ['each word once', 'A append a\n A written 1 a\n B append b\n B written 2 a+b\n C get\n C 2 a+b'],
  ['a name whose answers agree', 'A set a as N\n A unknown\n A set a as N\n A written 1\n A set a as N\n A written 1'],
  ['two names', 'A set a as N\n A written 1\n A set b as M\n A written 2'],
  ['writes without a name', 'A set a\n A written 1\n A set b\n A written 2'],
])('finds nothing wrong with %s', (_, history) => {
  expect(checkExactlyOnce(told(history))).toBeUndefined();
});

it.each([
  [
    'a word that is there twice',
    'A append a\n A unknown\n B get\n B 2 a+a',
    'B\'s get, from 30 ms (event 3) to 40 ms (event 4), was answered "version 2 "a a"", in which "a" is there twice',
  ],
  ['a word that is there twice, with others between', 'A append a\n A written 3 a+b+a', 'in which "a" is there twice'],
  [
    'a name that stands for two versions',
    'A set a as N\n A written 1\n A set a as N\n A unknown\n A set a as N\n A written 2',
    'written, version 2", but before that version 1 "a"',
  ],
])('finds %s', (_, history, message) => {
  expect(checkExactlyOnce(told(history))).toMatchObject({
    rule: 'exactly once',
    key: 'k',
    message: expect.stringContaining(message) as string,
  });
});
