import { patch } from './patch.js';
import type { Variant } from './variant.js';

const BATCH = 'src/store/batch.ts';
const RECORDS = 'src/store/records.ts';

/** Registers tell of one version only, as if a hundred others had passed by between two looks: where outcomes may be forgotten, they soon are. */
const SHORT_MEMORY = [
  patch(RECORDS, 'const RECORDS_KEPT = 32;', 'const RECORDS_KEPT = 1;'),
  patch(RECORDS, 'const [ROUNDS_KEPT, RECORDS_KEPT_MAX] = [16, 512];', 'const [ROUNDS_KEPT, RECORDS_KEPT_MAX] = [1, 1];'),
];

/** What change functions, operation names and deletions rest on. */
export const BROKEN_OPERATIONS: readonly Variant[] = [
  {
    name: 'the name of an operation is not looked up before it is applied',
    playground: { id: 'names' },
    scenario: 'majority',
    seeds: 60,
    seed: 1,
    patches: [
      patch(
        RECORDS,
        "const index = present.ops.findIndex((record) => typeof record !== 'string' && record.name === name);",
        'const index = -1;',
      ),
    ],
  },
  {
    name: 'a name is told the present version for its own',
    scenario: 'majority',
    seeds: 60,
    seed: 2,
    patches: [patch(RECORDS, 'const ver = present.ver - index;', 'const ver = present.ver;')],
  },
  {
    name: 'registers tell of few versions',
    scenario: 'majority',
    seeds: 100,
    harmless: 'an outcome that is not told of any more is unknown, or forgotten; nobody guesses it',
    patches: SHORT_MEMORY,
  },
  {
    name: 'registers tell of few versions, and a name that is not among them was never applied',
    scenario: 'majority',
    seeds: 100,
    seed: 2,
    patches: [
      ...SHORT_MEMORY,
      patch(RECORDS, '(expected > 0 ? expected : since) >= oldestTold(present)', '(expected > 0 ? expected >= oldestTold(present) : true)'),
    ],
  },
  {
    name: 'registers tell of few versions, and a write of this proposer that is not among them was never applied',
    scenario: 'majority',
    seeds: 200,
    seed: 8,
    patches: [
      ...SHORT_MEMORY,
      patch(BATCH, 'return sent.every(({ ver }) => ver > oldestTold(present)) ? undefined : outrun();', 'return undefined;'),
    ],
  },
  {
    name: 'a deletion forgets the names of those before it',
    scenario: 'majority',
    seeds: 100,
    harmless: 'the tombstone tells of one version, so that what was before is forgotten and not applied again',
    patches: [patch(BATCH, '{ ver, val: null, ops, deleted: true }', '{ ver, val: null, ops: [record], deleted: true }')],
  },
  {
    name: 'a deletion forgets the names of those before it, and what is above it says that there were none',
    scenario: 'majority',
    seeds: 100,
    seed: 2,
    patches: [
      patch(BATCH, '{ ver, val: null, ops, deleted: true }', '{ ver, val: null, ops: [record], deleted: true }'),
      patch(RECORDS, '(expected > 0 ? expected : since) >= oldestTold(present)', '(expected > 0 ? expected >= oldestTold(present) : true)'),
    ],
  },
  {
    name: 'a change whose accept failed is applied again without a look whether it was',
    scenario: 'majority',
    seeds: 100,
    seed: 8,
    patches: [patch(BATCH, '    if (!sent) return undefined;\n', '    if (!sent || attempt.ver === undefined) return undefined;\n')],
  },
  {
    name: 'two accepts of one change that begin differently carry the same id',
    scenario: 'majority',
    seeds: 400,
    seed: 88,
    patches: [patch(BATCH, '`${attempt.op}~${this.#sentReplays.length}`', 'attempt.op')],
  },
  {
    name: 'a key that is created anew begins at version 1',
    playground: { id: 'version' },
    scenario: 'majority',
    seeds: 60,
    seed: 1,
    patches: [patch(BATCH, 'const ver = after.ver + 1;', 'const ver = (after.deleted ? 0 : after.ver) + 1;')],
  },
  {
    name: 'a tombstone is matched by the version of the deletion',
    scenario: 'majority',
    seeds: 100,
    seed: 34,
    patches: [patch(BATCH, 'attempt.ver === (deleted ? 0 : ver);', 'attempt.ver === ver || (attempt.ver === 0 && deleted === true);')],
  },
  {
    name: 'what does not exist is deleted once more',
    scenario: 'majority',
    seeds: 60,
    seed: 1,
    patches: [patch(BATCH, 'if (next === DELETED && deleted) {', 'if (next === DELETED && ver < 0) {')],
  },
  {
    name: 'a deletion with a version does not look at it',
    scenario: 'majority',
    seeds: 100,
    seed: 2,
    patches: [
      patch(
        BATCH,
        'return attempt.ver === undefined ||',
        "return attempt.ver === undefined || ('val' in attempt && attempt.val === DELETED) ||",
      ),
    ],
  },
];
