import { type Patch, patch } from './patch.js';
import type { Variant } from './variants.js';

const ACCEPTOR = 'src/protocol/memory-acceptor.ts';
const ERASURE = 'src/redis/memory-collection.ts';
const SURVEY = 'node-control/collection/survey.ts';

/** The monitor of the acceptors would see what is wrong first: whether anybody loses anything by it, clients tell. */
const UNMONITORED: readonly Patch[] = [
  patch(
    'verification/checkers/acceptor-monitor.ts',
    '    if (compare(to.promise, from.promise) < 0) {',
    "    if (compare(to.promise, from.promise) < 0 && key === '') {",
  ),
];

/** Rules of a collection (paper, section 3.1), each broken by a few lines. */
export const BROKEN_COLLECTIONS: readonly Variant[] = [
  {
    name: 'a tombstone is collected that only a quorum holds',
    scenario: 'stepwise collections',
    seeds: 400,
    seed: 12,
    patches: [
      patch(
        SURVEY,
        'present.length === held.length && present.every(({ ballot }) => compareBallots(ballot, top.ballot) === 0)',
        '2 * present.filter(({ ballot }) => compareBallots(ballot, top.ballot) === 0).length > held.length',
      ),
    ],
  },
  {
    name: 'an absent register takes any ballot, whatever was collected',
    scenario: 'stepwise collections',
    seeds: 400,
    seed: 12,
    patches: [...UNMONITORED, patch(ACCEPTOR, 'floor = this.#memory.floor?.era ?? 0)', 'floor = 0)')],
  },
  {
    name: 'a floor is lost with a crash',
    scenario: 'collections',
    seeds: 400,
    seed: 25,
    patches: [
      ...UNMONITORED,
      patch(
        'verification/simulation/acceptor-node.ts',
        '    disconnectAll(this.memory);\n',
        '    disconnectAll(this.memory);\n    delete this.memory.floor;\n',
      ),
    ],
  },
  {
    name: 'versions begin at 1 again after a collection',
    scenario: 'stepwise collections',
    seeds: 100,
    seed: 3,
    patches: [patch(ACCEPTOR, 'const floor = register.value === null && this.#memory.floor?.version;', 'const floor = 0;')],
  },
  {
    name: 'a floor is told by absent registers only',
    scenario: 'stepwise collections',
    seeds: 400,
    seed: 3,
    patches: [
      patch(
        ACCEPTOR,
        'const floor = register.value === null && this.#memory.floor?.version;',
        'const floor = register.promise.counter === 0 && register.value === null && this.#memory.floor?.version;',
      ),
    ],
  },
  {
    name: 'a piggybacked promise over the empty value forgets the floor',
    scenario: 'collections',
    seeds: 400,
    patches: [patch('src/protocol/proposer.ts', 'value: change.after, floor: change.floor }', 'value: change.after }')],
  },
  {
    name: 'who joins is not given the floor',
    scenario: 'stepwise collections',
    seeds: 400,
    patches: [patch('node-control/step/write.ts', '() => giveFloors(nodes, sight, force)', 'async () => undefined')],
  },
  {
    name: 'a tombstone is removed although a round has its promise',
    scenario: 'collections',
    seeds: 400,
    patches: [patch(ERASURE, ' || register.promise.era >= era) continue;', ') continue;')],
  },
];
