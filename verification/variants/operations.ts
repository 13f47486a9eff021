import { broken, patch, type Variant } from './variant.js';

const BATCH = 'src/store/batch.ts';
const RECORDS = 'src/store/records.ts';

/** Registers tell of one version only, as if a hundred others had passed by between two looks: where outcomes may be forgotten, they soon are. */
const SHORT_MEMORY = [
  patch(RECORDS, 'const RECORDS_KEPT = 32;', 'const RECORDS_KEPT = 1;'),
  patch(RECORDS, 'const [ROUNDS_KEPT, RECORDS_KEPT_MAX] = [16, 512];', 'const [ROUNDS_KEPT, RECORDS_KEPT_MAX] = [1, 1];'),
];

/** What change functions, operation names and deletions rest on. */
export const BROKEN_OPERATIONS: readonly Variant[] = [
  broken('the name of an operation is not looked up before it is applied', ['majority', 60, 1], { playground: { id: 'names' } }, [
    patch(
      RECORDS,
      "const index = present.ops.findIndex((record) => typeof record !== 'string' && record.name === name);",
      'const index = -1;',
    ),
  ]),
  broken('a name is told the present version for its own', ['majority', 60, 2], {}, [
    patch(RECORDS, 'const ver = present.ver - index;', 'const ver = present.ver;'),
  ]),
  broken(
    'registers tell of few versions',
    ['majority', 100],
    { harmless: 'an outcome that is not told of any more is unknown, or forgotten; nobody guesses it' },
    SHORT_MEMORY,
  ),
  broken('registers tell of few versions, and a name that is not among them was never applied', ['majority', 100, 2], {}, [
    ...SHORT_MEMORY,
    patch(RECORDS, '(expected > 0 ? expected : since) >= oldestTold(present)', '(expected > 0 ? expected >= oldestTold(present) : true)'),
  ]),
  broken(
    'registers tell of few versions, and a write of this proposer that is not among them was never applied',
    ['majority', 200, 28],
    {},
    [
      ...SHORT_MEMORY,
      patch(BATCH, 'return sent.every(({ ver }) => ver > oldestTold(present)) ? undefined : outrun();', 'return undefined;'),
    ],
  ),
  broken(
    'a deletion forgets the names of those before it',
    ['majority', 100],
    { harmless: 'the tombstone tells of one version, so that what was before is forgotten and not applied again' },
    [patch(BATCH, '{ ver, val: null, ops, deleted: true }', '{ ver, val: null, ops: [record], deleted: true }')],
  ),
  broken('a deletion forgets the names of those before it, and what is above it says that there were none', ['majority', 100, 2], {}, [
    patch(BATCH, '{ ver, val: null, ops, deleted: true }', '{ ver, val: null, ops: [record], deleted: true }'),
    patch(RECORDS, '(expected > 0 ? expected : since) >= oldestTold(present)', '(expected > 0 ? expected >= oldestTold(present) : true)'),
  ]),
  broken('a change whose accept failed is applied again without a look whether it was', ['majority', 100, 8], {}, [
    patch(BATCH, '    if (!sent) return undefined;\n', '    if (!sent || attempt.ver === undefined) return undefined;\n'),
  ]),
  broken('two accepts of one change that begin differently carry the same id', ['majority', 400, 88], {}, [
    patch(BATCH, '`${attempt.op}~${this.#sentReplays.length}`', 'attempt.op'),
  ]),
  broken('a key that is created anew begins at version 1', ['majority', 60, 1], { playground: { id: 'version' } }, [
    patch(BATCH, 'const ver = after.ver + 1;', 'const ver = (after.deleted ? 0 : after.ver) + 1;'),
  ]),
  broken('a tombstone is matched by the version of the deletion', ['majority', 100, 34], {}, [
    patch(BATCH, 'attempt.ver === (deleted ? 0 : ver);', 'attempt.ver === ver || (attempt.ver === 0 && deleted === true);'),
  ]),
  broken('what does not exist is deleted once more', ['majority', 60, 1], {}, [
    patch(BATCH, 'if (next === DELETED && deleted) {', 'if (next === DELETED && ver < 0) {'),
  ]),
  broken('a deletion with a version does not look at it', ['majority', 100, 3], {}, [
    patch(
      BATCH,
      'return attempt.ver === undefined ||',
      "return attempt.ver === undefined || ('val' in attempt && attempt.val === DELETED) ||",
    ),
  ]),
];
