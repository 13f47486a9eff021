import { COPIES_DO_NOT_COUNT, HASTY } from './guard-off.js';
import { type Patch, patch } from './patch.js';
import type { Variant } from './variant.js';

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
  {
    name: 'an acceptor that lost its disk is not noticed',
    scenario: 'majority',
    seeds: 400,
    seed: 79,
    patches: [UNCHECKED],
  },
  {
    name: 'an acceptor that lost its disk while it is replaced is not noticed',
    scenario: 'stepwise resize',
    seeds: 400,
    seed: 122,
    patches: [UNCHECKED],
  },
  {
    name: 'what values rest on is remembered by name, not by identity',
    scenario: 'any commands',
    seeds: 40,
    seed: 4,
    patches: [
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
    ],
  },
  {
    name: 'an acceptor keeps its identity over a wipe',
    scenario: 'stepwise migration',
    seeds: 400,
    seed: 2,
    patches: [...HASTY, WIPED_AND_BACK, COPIES_DO_NOT_COUNT],
    unguarded: [patch('src/redis/memory-admin.ts', '    forgetAll(this.#memory);\n', '    this.#memory.registers.clear();\n')],
  },
  {
    name: 'an acceptor whose disk went back is not noticed',
    scenario: 'old disks',
    seeds: 300,
    seed: 50,
    patches: [greeted('false')],
  },
  {
    name: "an acceptor's count is not compared with what proposers have on their disks",
    scenario: 'old disks',
    seeds: 600,
    seed: 58,
    patches: [greeted('compareBallots(confirmed?.promise ?? ZERO_BALLOT, promise) > 0')],
  },
  {
    name: 'what an acceptor confirmed last is not looked up',
    scenario: 'old disks',
    seeds: 300,
    seed: 55,
    patches: [greeted('present < beats')],
  },
  {
    name: 'a proposer whose state folder went back is not told so',
    scenario: 'old folders',
    seeds: 400,
    seed: 36,
    patches: [patch('src/redis/memory-greeting.ts', 'proposer !== 0 && known > era', 'proposer < 0 && known > era')],
  },
];
