import { describe, expect, it } from 'vitest';
import { checkLinearizability } from '../../../verification/checkers/linearizability.js';
import { someOrderExplains } from './orders.js';
import { toldHistory } from './told.js';

const GOOD: readonly (readonly [title: string, history: string])[] = [
  ['a set whatever there is', 'A set a\n A written 1\n B set b\n B written 2\n C get\n C 2 b'],
  ['appends, of which the last reader tells the others', 'A append a\n A unknown\n B append b\n B unknown\n C get\n C 2 a+b'],
  ['an append that is told what it made', 'A append a\n A written 1 a\n B append b\n B written 2 a+b'],
  ['an append that is told its version only', 'A append a\n A written 1\n B append b\n B written 2\n C get\n C 2 a+b'],
  ['a deletion, and a create above it', 'A set a\n A written 1\n A delete\n A written 2\n B put 0 b\n B written 3\n C get\n C 3 b'],
  ['a deletion that is seen with its version', 'A set a\n A written 1\n A delete\n A written 2\n B get\n B 2'],
  ['a deletion of what does not exist', 'A delete\n A 0\n A set a\n A written 1\n A delete 1\n A written 2\n A delete\n A 2'],
  ['an append to a key that was deleted', 'A set a\n A written 1\n A delete\n A written 2\n B append b\n B written 3 b'],
  [
    'a compare-and-set with a version from before the deletion, which misses',
    'A put 0 a\n A written\n A delete\n A written 2\n B put 1 b\n B 2\n B put 2 c\n B 2',
  ],
  ['a version between, which an unknown set made', 'A set a\n A written 1\n B set b\n B unknown\n C set c\n C written 3'],
  ['a version between, which an unknown deletion made', 'A set a\n A written 1\n B delete\n B unknown\n C put 0 c\n C written 3'],
  ['the same, of an unknown deletion of that version', 'A set a\n A written 1\n B delete 1\n B unknown\n C put 0 c\n C written 3'],
  ['a deletion that somebody saw, and an unknown one made', 'A set a\n A written 1\n B delete\n B unknown\n C get\n C 2'],
  [
    'two versions between: a deletion and a create that expected nothing',
    'A set a\n A written 1\n B put 0 b\n B unknown\n D delete\n D unknown\n C set c\n C written 4',
  ],
  [
    'an unknown deletion that came first, though an unknown set was invoked first',
    'A set a\n A written 1\n B set b\n B unknown\n D delete\n D unknown\n C append c\n C written 3 c',
  ],
];

/** And what the message says. */
const BAD: readonly (readonly [title: string, history: string, message: string])[] = [
  [
    'a set that is answered with a version that was told for another value',
    'A set a\n A written 1\n B set b\n B written 1',
    'B\'s set of "b"',
  ],
  ['a version that nobody can have made', 'A set a\n A written 1\n C set c\n C written 3', 'can only have been at version 1 "a"'],
  [
    'one unknown set for two versions',
    'A set a\n A written 1\n B set b\n B unknown\n C set c\n C written 4',
    '; or at what the writes whose outcome nobody knew (1) can have made of it',
  ],
  ['a version that was made before its only maker was invoked', 'C set c\n C written 2\n B set b\n B unknown', 'C\'s set of "c"'],
  [
    'a version that a set made which somebody saw elsewhere',
    'B set b\n B unknown\n D get\n D 1 b\n C set c\n C written 3',
    'C\'s set of "c"',
  ],
  [
    'an append whose words are not those of the version below',
    'A set a\n A written 1\n B set b\n B written 2\n C append c\n C written 3 a+c',
    'C\'s append of "c"',
  ],
  ['an append that found nothing where there was something', 'A set a\n A written 1\n C append c\n C written 2 c', "C's append"],
  [
    'an append that found something where there was nothing',
    'A set a\n A written 1\n A delete\n A written 2\n C append c\n C written 3 a+c',
    "C's append",
  ],
  ['an append of another word than its own', 'A set a\n A written 1\n C append c\n C written 2 a', "C's append"],
  ['an append that left nothing', 'A append a\n A written 1 x', "A's append"],
  ['a value with a word before one that was set', 'A set a\n A written 1\n B set b\n B unknown\n C get\n C 2 a+b', "C's get"],
  ['an append that made nothing of it', 'A append a\n A written 1 -', "A's append"],
  [
    'an append whose version holds the word of another',
    'A set a\n A written 1\n B append b\n B written 2\n C append c\n C unknown\n D get\n D 2 a+c',
    "D's get",
  ],
  [
    'words that are not those of a version further down',
    'X set x\n X written 1\n B append b\n B written 2\n C append c\n C written 3\n A append a\n A unknown\n D get\n D 3 a+b+c',
    "D's get",
  ],
  ['a word that is there twice', 'A append a\n A unknown\n C get\n C 2 a+a', "C's get"],
  ['a word in two versions', 'A append a\n A unknown\n B get\n B 1 a\n C delete\n C written 2\n D get\n D 3 a', "D's get"],
  ['a deletion of a key that did not exist', 'A delete\n A written 1', "A's delete"],
  ['two deletions in a row', 'A set a\n A written 1\n A delete\n A written 2\n B delete\n B written 3', "B's delete"],
  ['a deletion that says that the key does not exist, which it does', 'A set a\n A written 1\n B delete\n B 1 a', "B's delete"],
  ['a deletion of a version that missed although it was there', 'A set a\n A written 1\n B delete 1\n B 1 a', "B's delete of version 1"],
  ['a deletion of another version', 'A set a\n A written 1\n B set b\n B written 2\n C delete 1\n C written 3', "C's delete of version 1"],
  ['a set or an append that missed', 'A set a\n A 0', "A's set"],
  ['a deletion that brought a value', 'A set a\n A written 1\n B delete\n B written 2 a', "B's delete"],
  ['a set that is told another value than its own', 'A set a\n A written 1 b', "A's set"],
  [
    'a compare-and-set with a version from before the deletion',
    'A put 0 a\n A written\n A delete\n A written 2\n B put 1 b\n B written 2',
    'B\'s write of "b" over version 1',
  ],
  [
    'the same with the version of the deletion',
    'A put 0 a\n A written\n A delete\n A written 2\n B put 2 b\n B written 3',
    'over version 2',
  ],
  [
    'a create above a deletion that missed with it',
    'A set a\n A written 1\n A delete\n A written 2\n B put 0 b\n B 2',
    'B\'s write of "b" over version 0',
  ],
  ['a create of a key that exists', 'A set a\n A written 1\n B put 0 b\n B written 2', 'B\'s write of "b" over version 0'],
  [
    'a version told again after the deletion, for another value',
    'A set a\n A written 1\n A delete\n A written 2\n B put 0 b\n B written 1',
    "B's write",
  ],
  [
    'a value that is back after its deletion',
    'A set a\n A written 1\n A delete\n A written 2\n B get\n B 1 a',
    'can only have been at version 2, deleted',
  ],
  ['a deletion that nobody asked for', 'A set a\n A written 1\n B get\n B 2', "B's get"],
  [
    'one unknown deletion for two',
    'A set a\n A written 1\n B delete\n B unknown\n C get\n C 2\n C set c\n C written 3\n D get\n D 4',
    "D's get",
  ],
  ['an unknown deletion that came too late', 'A set a\n A written 1\n C get\n C 2\n B delete\n B unknown', "C's get"],
  ['an unknown create where the key existed', 'A set a\n A written 1\n B put 0 b\n B unknown\n C set c\n C written 3', 'C\'s set of "c"'],
  ['an unknown deletion where it did not', 'B delete\n B unknown\n C set c\n C written 2', 'C\'s set of "c"'],
  [
    'a key that was deleted in between, and a deletion that found it',
    'A set a\n A written 1\n B delete 1\n B unknown\n C delete\n C written 3',
    "C's delete",
  ],
];

describe('changes, deletions, and compare-and-sets beside them', () => {
  it.each(GOOD)('can be: %s', (_, history) => {
    const { operations } = toldHistory(history);
    expect(checkLinearizability(operations)).toBeUndefined();
    expect(someOrderExplains(operations)).toBe(true);
  });

  it.each(BAD)('cannot be: %s', (_, history, message) => {
    const { operations } = toldHistory(history);
    expect(checkLinearizability(operations)?.message).toContain(message);
    expect(someOrderExplains(operations)).toBe(false);
  });
});

describe('a write that is sent again under its name', () => {
  it.each([
    ['is told the same again', 'A set a as N\n A written 1\n B set b\n B written 2\n A set a as N\n A written 1\n C get\n C 2 b'],
    ['may have been applied when it was sent first', 'A set a as N\n A unknown\n B get\n B 1 a\n A set a as N\n A written 1'],
    [
      'may be told that it missed, before it is applied',
      'A put 0 a as N\n B set b\n B written 1\n C put 0 a as N\n C 1 b\n B delete\n B written 2\n A written 3',
    ],
    ['may have been refused at first', 'A set a as N\n A refused\n A set a as N\n A written 1'],
  ])('%s', (_, history) => {
    expect(checkLinearizability(toldHistory(history).operations)).toBeUndefined();
  });

  it.each([
    ['is applied once only', 'A append a as N\n A written 1 a\n A append a as N\n A written 2 a+a', 'named N'],
    ['is told one version only', 'A set a as N\n A written 1\n A set a as N\n A written 2', 'A\'s set of "a" (named N)'],
    [
      'does not make a version that nobody else can have made',
      'A set a as N\n A written 1\n A set a as N\n A unknown\n B set b\n B written 3',
      "B's set",
    ],
    ['is not told that it missed, once it was applied', 'A put 0 a as N\n A unknown\n B get\n B 1 a\n A put 0 a as N\n A 1 a', "A's write"],
    [
      'was not there before the sending that can have applied it',
      'A set a as N\n A refused\n B get\n B 1 a\n A set a as N\n A written 1',
      "B's get",
    ],
  ])('%s', (_, history, message) => {
    expect(checkLinearizability(toldHistory(history).operations)?.message).toContain(message);
  });
});

describe('where tombstones are collected', () => {
  const DELETED = 'A set a\n A written 1\n A delete\n A written 2\n collection';
  it.each([
    ['a key that is gone is told without a version', `${DELETED}\n B get\n B 0\n C get\n C 0`],
    ['it goes on above any version', `${DELETED}\n B get\n B 0\n C put 0 c\n C written 9\n B get\n B 9 c`],
    ['a set finds nothing there', `${DELETED}\n C set c\n C written 9`],
    ['an unknown deletion may have come before', 'A set a\n A written 1\n B delete\n collection\n C get\n C 0'],
    ['who looks beside the create may still find nothing', `${DELETED}\n B get\n C put 0 c\n C written 9\n B 0`],
    [
      'a key that is gone, between two values',
      `${DELETED}\n B put 0 b\n B written 3\n D get\n B delete\n B written 4\n D 0\n B set c\n B written 5`,
    ],
    [
      'a version that nobody was told of may have been a deletion',
      'A set a\n A written 1\n collection\n B delete\n B unknown\n C get\n C 0\n D set d\n D written 3',
    ],
    ['a deletion says that there is nothing', `${DELETED}\n B delete\n B 0`],
  ])('%s', (_, history) => {
    const { operations, collectedFrom } = toldHistory(history);
    expect(checkLinearizability(operations, collectedFrom)).toBeUndefined();
  });

  it.each([
    ['nothing is gone that exists', 'A set a\n A written 1\n collection\n B get\n B 0', "B's get"],
    ['what exists keeps its version', 'A set a\n A written 1\n collection\n B put 1 b\n B written 9', "B's write"],
    ['a version goes on only where there was nothing', 'A set a\n A written 1\n collection\n C append c\n C written 9', "C's append"],
    [
      'not before the first collection',
      'A set a\n A written 1\n A delete\n A written 2\n C put 0 c\n C written 9\n collection',
      "C's write",
    ],
    ['a version is not told again', `${DELETED}\n C put 0 c\n C written 1`, "C's write"],
    ['the tombstone does not come back', `${DELETED}\n C put 0 c\n C written 9\n B get\n B 2`, "B's get"],
    ['a key is not gone after it was created', `${DELETED}\n C put 0 c\n C written 9\n B get\n B 0`, "B's get"],
    [
      'an unknown deletion cannot have come before it was invoked',
      'A set a\n A written 1\n collection\n C get\n C 0\n B delete',
      "C's get",
    ],
    ['an open set does not make a key go', 'A set a\n A written 1\n E set e\n collection\n C get\n C 0', "C's get"],
    ['a key is not gone before it was deleted', 'A set a\n A written 1\n collection\n B get\n B 0\n A delete\n A written 2', "B's get"],
    ['nor after which the value was seen', 'A set a\n A written 1\n B delete\n collection\n C get\n C 0\n C get\n C 1 a', "C's get"],
    [
      'who finds nothing ends the time before the create for all that come later',
      `${DELETED}\n E set e\n D get\n D 9 e\n B get\n B 0\n E written 9`,
      "B's get",
    ],
  ])('but %s', (_, history, message) => {
    const { operations, collectedFrom } = toldHistory(history);
    expect(checkLinearizability(operations, collectedFrom)?.message).toContain(message);
  });
});
