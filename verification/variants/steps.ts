import {
  ANY_MAY_BE_WIPED,
  ANY_MAY_JOIN,
  COPIES_DO_NOT_COUNT,
  HASTY,
  NO_AGREEMENT,
  NO_DANGERS,
  NO_DEBTS,
  SOME_PROPOSERS,
  UNDETERRED,
} from './guard-off.js';
import { type Patch, patch } from './patch.js';
import type { Variant } from './variant.js';

const MIGRATION = 'verification/simulation/migration.ts';
const GROWING = `  'add-accept all B 2', //
  'rescan A,B 2',
  'add-prepare all B 2',
  'add-accept all C 2',
  'add-prepare all C 2',
`;
const SHRINKING = `  'rm-accept all C 2', //
  'rm-prepare all C 2',
  'rescan A,B 2',
  'rm-accept all B 1',
  'rm-prepare all B 1',
`;
const WIPING = `  'wipe-acceptor B', //
  'wipe-acceptor C',
`;

const lines = (commands: readonly string[]): string => commands.map((command) => `  '${command}',\n`).join('');
export const growing = (...commands: string[]): readonly Patch[] => [...HASTY, UNDETERRED, patch(MIGRATION, GROWING, lines(commands))];
export const shrinking = (...commands: string[]): readonly Patch[] => [...HASTY, UNDETERRED, patch(MIGRATION, SHRINKING, lines(commands))];

export const OFTEN_TWO = patch(
  'verification/simulation/settings.ts',
  "has('operator-deaths', isFree ? 0.4 : 0.2) ? 0.2 : 0",
  "has('operator-deaths', 1) ? 0.5 : 0",
);

const WIPED_WHILE_LISTED = shrinking(
  ...['wipe-acceptor C', 'rm-accept all C 2', 'rm-prepare all C 2', 'rescan A,B 2', 'rm-accept all B 1', 'rm-prepare all B 1'],
);

/** Commands that the guard refuses, without the part of it that does. */
export const UNGUARDED_STEPS: readonly Variant[] = [
  {
    name: 'two steps are swapped: all accept sets before the prepare sets',
    scenario: 'stepwise migration',
    seeds: 600,
    seed: 41,
    patches: growing('add-accept all B 2', 'rescan A,B 2', 'add-accept all C 2', 'add-prepare all B 2', 'add-prepare all C 2'),
    unguarded: NO_DANGERS,
  },
  {
    name: 'a quorum is too small: one of two is enough to accept',
    scenario: 'stepwise migration',
    seeds: 50,
    seed: 8,
    patches: growing('add-accept all B 1', 'rescan A,B 2', 'add-prepare all B 2', 'add-accept all C 2', 'add-prepare all C 2'),
    unguarded: NO_DANGERS,
  },
  {
    name: 'one proposer is left behind: the steps are typed for the other',
    scenario: 'stepwise migration',
    seeds: 50,
    seed: 8,
    patches: growing(
      'add-accept proposer-1 B 2',
      'rescan A,B 2',
      'add-prepare proposer-1 B 2',
      'add-accept proposer-1 C 2',
      'add-prepare proposer-1 C 2',
      ...['add-accept all B 2', 'add-prepare all B 2', 'add-accept all C 2', 'add-prepare all C 2'],
    ),
    unguarded: NO_DANGERS,
  },
  {
    name: 'a proposer that does not answer is left out',
    scenario: 'migration',
    seeds: 200,
    seed: 12,
    patches: HASTY,
    unguarded: [...SOME_PROPOSERS, ...NO_AGREEMENT, ...NO_DANGERS],
  },
  {
    name: 'the rescan is left out when growing',
    playground: { id: 'debts', unguarded: 'the guard does not ask for a rescan' },
    scenario: 'stepwise migration',
    seeds: 50,
    seed: 1,
    patches: growing('add-accept all B 2', 'add-prepare all B 2', 'add-accept all C 2', 'add-prepare all C 2'),
    unguarded: NO_DEBTS,
  },
  {
    name: 'the rescan is left out when shrinking',
    scenario: 'stepwise migration',
    seeds: 400,
    seed: 2,
    patches: shrinking('rm-accept all C 2', 'rm-prepare all C 2', 'rm-accept all B 1', 'rm-prepare all B 1'),
    unguarded: NO_DEBTS,
  },
  {
    name: 'growing rescans at the end',
    scenario: 'stepwise migration',
    seeds: 50,
    seed: 4,
    patches: growing('add-accept all B 2', 'add-prepare all B 2', 'add-accept all C 2', 'add-prepare all C 2', 'rescan A,B 2'),
    unguarded: NO_DEBTS,
  },
  {
    name: 'growing rescans at the beginning',
    scenario: 'stepwise migration',
    seeds: 50,
    seed: 4,
    patches: growing('rescan A 1', 'add-accept all B 2', 'add-prepare all B 2', 'add-accept all C 2', 'add-prepare all C 2'),
    unguarded: NO_DEBTS,
  },
  {
    name: 'shrinking rescans at the beginning',
    scenario: 'stepwise migration',
    seeds: 300,
    seed: 294,
    patches: shrinking('rescan A,B 2', 'rm-accept all C 2', 'rm-prepare all C 2', 'rm-accept all B 1', 'rm-prepare all B 1'),
    unguarded: NO_DEBTS,
  },
  {
    name: 'an acceptor joins again without a wipe',
    scenario: 'stepwise migration',
    seeds: 60,
    harmless: 'all it holds is older than what was acknowledged, or was never acknowledged: it is like one that was slow',
    patches: [...HASTY, patch(MIGRATION, WIPING, '')],
    unguarded: ANY_MAY_JOIN,
  },
  {
    name: 'an acceptor is wiped and joins again without a rescan between',
    scenario: 'stepwise migration',
    seeds: 400,
    seed: 2,
    patches: shrinking(
      ...['rm-accept all C 2', 'rm-prepare all C 2', 'wipe-acceptor C', 'add-accept all C 2', 'add-prepare all C 2'],
      ...['rm-accept all C 2', 'rm-prepare all C 2', 'rescan A,B 2', 'rm-accept all B 1', 'rm-prepare all B 1'],
    ),
    unguarded: [...NO_DEBTS, COPIES_DO_NOT_COUNT],
  },
  {
    name: 'an acceptor is wiped that the proposers list',
    scenario: 'stepwise migration',
    seeds: 60,
    harmless: 'its identity goes with its data, so that no proposer uses it: it is like one that is down',
    patches: WIPED_WHILE_LISTED,
    unguarded: ANY_MAY_BE_WIPED,
  },
  {
    name: 'an acceptor is wiped that the proposers list, and nobody checks who it is',
    playground: { id: 'identity', unguarded: 'nobody checks who an acceptor is' },
    scenario: 'stepwise migration',
    seeds: 200,
    seed: 62,
    patches: WIPED_WHILE_LISTED,
    unguarded: [
      ...ANY_MAY_BE_WIPED,
      patch('src/protocol/memory-acceptor.ts', 'if (!register && this.#identity !== undefined', 'if (this.#identity === ""'),
    ],
  },
  {
    name: 'two operators at once: a configuration is written whatever its era',
    scenario: 'any commands',
    seeds: 1_000,
    seed: 446,
    patches: [OFTEN_TWO],
    unguarded: [patch('src/store/reconfiguration.ts', '    this.#assertEra(expectedEra);\n', '')],
  },
];
