import { OFTEN_TWO } from './steps.js';
import { broken, type Patch, patch, type Variant } from './variant.js';

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

const TYPED = 'verification/simulation/typed.ts';

/** @param commands an expression for the commands that the operator types in place of those that are drawn; `acceptors` are the names */
const typing = (commands: string): readonly Patch[] => [
  patch(TYPED, 'import type { Step }', 'import { parse, type Step }'),
  patch(TYPED, 'const commands = collections(random, acceptors, COLLECTIONS);', `const commands = ${commands}.map(parse);`),
];

/**
 * Again and again an acceptor leaves, keys are collected, all proposers are wiped, and the cluster starts with that acceptor again: with what it holds, for
 * nobody runs rounds then.
 */
const LEFT_OUT_AND_BACK = typing(`Array.from({ length: 4 }, () => {
    const [a, b, c] = acceptors;
    return [\`resize \${a},\${b},\${c}\`, \`rm-accept all \${c} 2\`, \`rm-prepare all \${c} 2\`, 'collect', 'wipe all'];
  }).flat()`);

/** One acceptor takes the place of the other again and again, while another operator collects, or does the same; and a floor is long on its way. */
const REPLACED_MEANWHILE: readonly Patch[] = [
  OFTEN_TWO,
  ...typing("Array.from({ length: 6 }, (_, index) => ['collect', `resize ${acceptors[index % 2]}`]).flat()"),
  patch('verification/simulation/world.ts', '...(isAnarchic && { other:', '...({ other:'),
  patch(
    'verification/simulation/random-commands.ts',
    '  const kind = random();\n  if (kind < 0.45) {',
    `  if (random() < 0.5) return { verb: 'collect' };
  return { verb: 'resize', acceptors: [oneOf(acceptors.slice(0, 2))] };
  const kind = random();\n  if (kind < 0.45) {`,
  ),
  patch(
    'verification/simulation/admin-ports.ts',
    'act: () => admin.raiseFloor(floor)',
    `act: async () => {
      await new Promise<void>((resolve) => caller.time.after(20, resolve));
      return admin.raiseFloor(floor);
    }`,
  ),
];

/** Rules of a collection (paper, section 3.1), each broken by a few lines. */
export const BROKEN_COLLECTIONS: readonly Variant[] = [
  broken('a tombstone is collected that only a quorum holds', ['stepwise collections', 400, 1], {}, [
    patch(
      SURVEY,
      'present.length === held.length && present.every(({ ballot }) => compareBallots(ballot, top.ballot) === 0)',
      '2 * present.filter(({ ballot }) => compareBallots(ballot, top.ballot) === 0).length > held.length',
    ),
  ]),
  broken(
    'an absent register takes any ballot, whatever was collected',
    ['stepwise collections', 400, 19],
    { playground: { id: 'floor' } },
    [...UNMONITORED, patch(ACCEPTOR, 'floor = this.#memory.floor?.era ?? 0)', 'floor = 0)')],
  ),
  broken('a floor is lost with a crash', ['collections', 400, 39], {}, [
    ...UNMONITORED,
    patch(
      'verification/simulation/acceptor-node.ts',
      '    disconnectAll(this.memory);\n',
      '    disconnectAll(this.memory);\n    delete this.memory.floor;\n',
    ),
  ]),
  broken('versions begin at 1 again after a collection', ['stepwise collections', 100, 3], {}, [
    patch(ACCEPTOR, 'const floor = register.value === null && this.#memory.floor?.version;', 'const floor = 0;'),
  ]),
  broken('a floor is told by absent registers only', ['stepwise collections', 400, 3], {}, [
    patch(
      ACCEPTOR,
      'const floor = register.value === null && this.#memory.floor?.version;',
      'const floor = register.promise.counter === 0 && register.value === null && this.#memory.floor?.version;',
    ),
  ]),
  broken('a piggybacked promise over the empty value forgets the floor', ['collections', 400, 2], {}, [
    patch('src/protocol/proposer.ts', 'value: change.after, floor: change.floor }', 'value: change.after }'),
  ]),
  broken('who joins is not given the floor', ['stepwise collections', 400, 23], {}, [
    patch('node-control/step/write.ts', '() => giveFloors(nodes, sight, force)', 'async () => undefined'),
  ]),
  broken('a tombstone is removed although a round has its promise', ['collections', 400, 166], {}, [
    patch(ERASURE, ' || register.promise.era >= era) continue;', ') continue;'),
  ]),
  broken('a tombstone is removed that is not the one that was seen on all', ['collections', 400, 84], {}, [
    patch(ERASURE, 'compareBallots(register.ballot, ballot) === 0', 'remainsIn(memory, key)?.version !== undefined'),
  ]),
  broken(
    'keys are collected while values may rest on acceptors outside the sets',
    ['stepwise collections', 400, 1],
    {
      unguarded: [
        patch(
          'node-control/collection/findings.ts',
          'holders.some((identity) => !members.has(identity))',
          'holders.every((identity) => !members.has(identity) && members.has(identity))',
        ),
      ],
    },
    LEFT_OUT_AND_BACK,
  ),
  broken(
    'who had no part in the last collection joins with what it holds, where no proposer remembers anything',
    ['stepwise collections', 400, 123],
    { unguarded: [patch('node-control/step/joining.ts', 'if (size > 0 && isBehind) objections', 'if (size < 0 && isBehind) objections')] },
    LEFT_OUT_AND_BACK,
  ),
  broken(
    'the eras are not looked at again before the removals',
    ['collections', 800, 43],
    {
      unguarded: [
        patch(
          'node-control/commands/collect.ts',
          'if (now.some(({ configuration }) => configuration.era !== era)) {',
          'if (now.length === 0) {',
        ),
      ],
    },
    REPLACED_MEANWHILE,
  ),
];
