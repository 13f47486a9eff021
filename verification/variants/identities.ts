import { COPIES_DO_NOT_COUNT, HASTY } from './guard-off.js';
import { broken, type Patch, patch, type Variant } from './variant.js';

const UNCHECKED = patch('src/protocol/memory-acceptor.ts', 'if (!register && this.#identity !== undefined', 'if (this.#identity === ""');

const WIPED_AND_BACK = patch(
  'verification/simulation/migration.ts',
  'export const SHRINK = [',
  "export const SHRINK = ['rm-accept all C 2', 'rm-prepare all C 2', 'wipe-acceptor C', 'add-accept all C 2', 'add-prepare all C 2',",
);

/** How a greeting is answered, with one of the two memories left out, or both. */
const greeted = (put: string): Patch =>
  patch('src/redis/memory-greeting.ts', 'present < beats || compareBallots(confirmed?.promise ?? ZERO_BALLOT, promise) > 0', put);

/** Amnesia that goes unnoticed. */
export const UNCHECKED_IDENTITIES: readonly Variant[] = [
  broken('an acceptor that lost its disk is not noticed', ['majority', 400, 14], {}, [UNCHECKED]),
  broken('an acceptor that lost its disk while it is replaced is not noticed', ['stepwise resize', 400, 141], {}, [UNCHECKED]),
  broken('what values rest on is remembered by name, not by identity', ['any commands', 40, 4], {}, [
    patch(
      'node-control/rescan/key-listing.ts',
      'nodes: this.#acceptors.map((name) => own.get(name) ?? this.#options.identities[name] ?? name)',
      'nodes: own ? this.#acceptors : []',
    ),
    patch(
      'node-control/safety/guard.ts',
      'nodes: set.nodes.map((node) => identities?.[node] ?? node)',
      'nodes: set.nodes.map((node) => node.replace(/#.*/, ""))',
    ),
  ]),
  broken(
    'an acceptor keeps its identity over a wipe',
    ['stepwise migration', 400, 13],
    { unguarded: [patch('src/redis/memory-admin.ts', '    forgetAll(this.#memory);\n', '    this.#memory.registers.clear();\n')] },
    [...HASTY, WIPED_AND_BACK, COPIES_DO_NOT_COUNT],
  ),
  broken('an acceptor whose disk went back is not noticed', ['old disks', 300, 64], {}, [greeted('false')]),
  broken("an acceptor's count is not compared with what proposers have on their disks", ['old disks', 600, 120], {}, [
    greeted('compareBallots(confirmed?.promise ?? ZERO_BALLOT, promise) > 0'),
  ]),
  broken('what an acceptor confirmed last is not looked up', ['old disks', 400, 219], {}, [greeted('present < beats')]),
  broken('a proposer whose state folder went back is not told so', ['old folders', 400, 36], {}, [
    patch('src/redis/memory-greeting.ts', 'proposer !== 0 && known > era', 'proposer < 0 && known > era'),
  ]),
];
