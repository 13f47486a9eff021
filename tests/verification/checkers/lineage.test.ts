import { describe, expect, it } from 'vitest';
import { checkLineage } from '../../../verification/checkers/lineage.js';
import { told } from './told.js';

const state = (ver: number, val: string | null): { ver: number; val: string | null } => ({ ver, val });

/** Two acknowledged writes, one on the other. */
const LINE = `
  A put 0 a
  A written
  A put 1 b over a
  A written`;

describe('nothing was lost', () => {
  it.each([
    ['from a key that nobody wrote', '', state(0, null)],
    ['from a key that was only read', 'A get\n A 0', state(0, null)],
    ['where all acknowledged writes are ancestors of the final value', LINE, state(2, 'b')],
    ['where the final value is an unknown write over them', `${LINE}\n C put 2 c over b\n C unknown`, state(3, 'c')],
    ['where it is a write that was never answered', `${LINE}\n C put 2 c over b`, state(3, 'c')],
    [
      'where a refused and an unknown write are not there',
      `${LINE}\n C put 2 c over b\n C refused\n D put 2 d over b\n D unknown`,
      state(2, 'b'),
    ],
    ['where an unknown write that was seen is an ancestor', `${LINE}\n C put 2 c over b\n C unknown\n B get\n B 3 c`, state(3, 'c')],
    ['where those who were told a state were told an ancestor', `${LINE}\n C get\n C 1 a\n C put 0 c\n C 2 b\n B get\n B 0`, state(2, 'b')],
    ['from a read that learned nothing', `${LINE}\n C get\n C refused\n B get`, state(2, 'b')],
  ])('%s', (_, history, final) => {
    expect(checkLineage(told(history), final)).toBeUndefined();
  });
});

describe('lost', () => {
  it.each([
    [
      'an acknowledged write that the final value does not reach',
      LINE,
      state(1, 'a'),
      'A\'s write of "b" over version 1, from 30 ms (event 3) to 40 ms (event 4), was answered "written", but version 2 "b" was lost: the key ended at version 1 "a"',
    ],
    ['all writes, where the key does not exist any more', LINE, state(0, null), 'but version 1 "a" was lost: the key ended at version 0'],
    [
      'an acknowledged write of which another one took the place (a fork)',
      `${LINE}\n C put 1 c over a\n C unknown`,
      state(2, 'c'),
      'but version 2 "b" was lost: the key went through version 2 "c"',
    ],
    [
      'a fork that lies below the final value',
      `${LINE}\n C put 1 c over a\n C written\n C put 2 d over c\n C written`,
      state(3, 'd'),
      'but version 2 "b" was lost: the key went through version 2 "c"',
    ],
    [
      'an unknown write that somebody saw',
      `${LINE}\n C put 2 c over b\n C unknown\n B get\n B 3 c`,
      state(2, 'b'),
      'B\'s get, from 70 ms (event 7) to 80 ms (event 8), was answered "version 3 "c"", but version 3 "c" was lost: the key ended at version 2 "b"',
    ],
    [
      'a state that a mismatch reported',
      `${LINE}\n C put 2 c over b\n B put 0 d\n B 3 c`,
      state(2, 'b'),
      'B\'s write of "d" over version 0',
    ],
    ['a state without a value that somebody saw', `${LINE}\n B get\n B 3`, state(2, 'b'), 'version 3, deleted was lost'],
    ['an empty key at a version that was written', `${LINE}\n B get\n B 1`, state(2, 'b'), 'version 1, deleted was lost'],
  ])('%s', (_, history, final, message) => {
    expect(checkLineage(told(history), final)).toMatchObject({
      rule: 'lineage',
      key: 'k',
      message: expect.stringContaining(message) as string,
    });
  });
});

describe('values that tell more than one write, or nothing of what they were made from', () => {
  const APPENDED = 'A append a\n A written 1 a\n B append b\n B written 2';
  it.each([
    ['appends', APPENDED, state(2, 'a b')],
    ['an append over a write', `${LINE}\n B append c\n B written 3`, state(3, 'b c')],
    ['a set over them, of which nobody knows what was below', `${APPENDED}\n C set c\n C unknown\n C set d\n C written 4`, state(4, 'd')],
    ['a write that was refused at first, and then unknown', 'A set a as N\n A refused\n A set a as N\n A unknown', state(1, 'a')],
    ['a deletion', `${LINE}\n A delete\n A written 3`, state(3, null)],
    ['a create above a deletion', `${LINE}\n A delete\n A unknown\n C put 0 c\n C written 4`, state(4, 'c')],
    ['two deletions', `${LINE}\n A delete\n A unknown\n C append c\n C written 4 c\n D delete\n D written 5`, state(5, null)],
  ])('can be a line: %s', (_, history, final) => {
    expect(checkLineage(told(history), final)).toBeUndefined();
  });

  it.each([
    [
      'an append that the values above do not hold',
      `${APPENDED}\n C append c\n C written 3`,
      state(3, 'a c'),
      'version 2 "a" is, or led to, the final state, but',
    ],
    [
      'an append of which only the version was told',
      'A set a\n A written 1\n B append b\n B written 2\n C append c',
      state(2, 'a c'),
      'B\'s append of "b"',
    ],
    [
      'a version below a set that somebody else was told of',
      `${LINE}\n C set c\n C written 3\n D get\n D 2 x`,
      state(3, 'c'),
      'version 2 "x" was lost',
    ],
    ['a deletion', `${LINE}\n A delete\n A written 3`, state(2, 'b'), 'version 3, deleted was lost: the key ended at version 2 "b"'],
    [
      'a deletion, whose version another one has',
      `${LINE}\n A delete\n A written 3\n C set c`,
      state(3, 'c'),
      'version 3, deleted was lost',
    ],
    [
      'what was created above a deletion',
      `${LINE}\n A delete\n A written 3\n C put 0 c\n C written 4`,
      state(3, null),
      'version 4 "c" was lost',
    ],
    ['one deletion for two', `${LINE}\n A delete\n A unknown\n C append c\n C written 4 c`, state(5, null), 'does not exist at version 3'],
    ['words below version 1', 'A append a\n A unknown\n B append b\n B unknown', state(1, 'a b'), 'was made from version 0 "a"'],
    [
      'an unknown write at another version than the one that it expects',
      'A put 2 a over x\n A unknown',
      state(4, 'a'),
      'but it was written to be version 3',
    ],
    ['a set at another version than it was answered', 'A set a\n A written 1', state(2, 'a'), 'but it was written to be version 1'],
    [
      'a write whose every attempt was refused',
      'A set a as N\n A refused\n A set a as N\n A refused',
      state(1, 'a'),
      'was answered "refused", but is',
    ],
  ])('cannot: %s', (_, history, final, message) => {
    expect(checkLineage(told(history), final)?.message).toContain(message);
  });

  it('does not ask what a collected key was', () => {
    const history = told(`${LINE}\n A delete\n A written 3`);
    expect(checkLineage(history, state(0, null), true)).toBeUndefined();
    expect(checkLineage(history, state(0, null))).toBeDefined();
    expect(
      checkLineage(told(`${LINE}\n A delete\n A written 3\n D get\n D 0\n C put 0 c\n C written 9`), state(9, 'c'), true),
    ).toBeUndefined();
    expect(checkLineage(told(`${LINE}\n C put 0 c\n C written 9\n D get\n D 9 x`), state(9, 'c'), true)?.message).toContain(
      'version 9 "x" was lost',
    );
  });
});

it('takes a read that was answered as a write for one that learned nothing: the register itself tells that it is wrong', () => {
  expect(checkLineage(told(`${LINE}\n C get\n C written`), state(2, 'b'))).toBeUndefined();
});

describe('a line that nobody wrote', () => {
  it.each([
    ['ends in a value that nobody wrote', LINE, state(3, 'x'), 'version 3 "x" is, or led to, the final state, but nobody wrote it'],
    ['goes through one', 'A put 1 b over x\n A written', state(2, 'b'), 'version 1 "x" is, or led to'],
    ['holds a value at another version than it was written for', LINE, state(3, 'b'), 'but it was written to be version 2'],
    [
      'holds a value that was applied twice',
      `${LINE}\n C put 3 c over b\n C written`,
      state(4, 'c'),
      'version 3 "b" is, or led to, the final state, but',
    ],
    ['begins above version 0', 'A put 1 b\n A written', state(2, 'b'), 'was made from a key that does not exist at version 1'],
    ['has no value at a version', LINE, state(2, null), 'was made from a key that does not exist at version 2'],
    [
      'ends in a write that was refused',
      `${LINE}\n C put 2 c over b\n C refused`,
      state(3, 'c'),
      'was answered "refused", but is, or led to, the final state',
    ],
    [
      'goes through one that was refused',
      `${LINE}\n C put 2 c over b\n C refused\n D put 3 d over c\n D written`,
      state(4, 'd'),
      'C\'s write of "c"',
    ],
  ])('%s', (_, history, final, message) => {
    expect(checkLineage(told(history), final)?.message).toContain(message);
  });
});

it('does not judge a history in which one value is written twice', () => {
  expect(() => checkLineage(told('A put 0 a\n B put 0 a'), state(1, 'a'))).toThrow(new RangeError('two writes of the value "a"'));
});

it('says so where nobody used the key, and still it exists', () => {
  expect(checkLineage([], state(1, 'a'))).toMatchObject({ rule: 'lineage', key: '' });
});
