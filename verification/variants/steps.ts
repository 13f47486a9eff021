import * as guardOff from './guard-off.js';
import { broken, type Patch, patch, type Variant } from './variant.js';

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
export const growing = (...commands: string[]): readonly Patch[] => [
  ...guardOff.HASTY,
  guardOff.UNDETERRED,
  patch(MIGRATION, GROWING, lines(commands)),
];
export const shrinking = (...commands: string[]): readonly Patch[] => [
  ...guardOff.HASTY,
  guardOff.UNDETERRED,
  patch(MIGRATION, SHRINKING, lines(commands)),
];

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
  broken(
    'two steps are swapped: all accept sets before the prepare sets',
    ['stepwise migration', 600, 41],
    { unguarded: guardOff.NO_DANGERS },
    growing('add-accept all B 2', 'rescan A,B 2', 'add-accept all C 2', 'add-prepare all B 2', 'add-prepare all C 2'),
  ),
  broken(
    'a quorum is too small: one of two is enough to accept',
    ['stepwise migration', 50, 4],
    { unguarded: guardOff.NO_DANGERS },
    growing('add-accept all B 1', 'rescan A,B 2', 'add-prepare all B 2', 'add-accept all C 2', 'add-prepare all C 2'),
  ),
  broken(
    'one proposer is left behind: the steps are typed for the other',
    ['stepwise migration', 50, 8],
    { unguarded: guardOff.NO_DANGERS },
    growing(
      'add-accept proposer-1 B 2',
      'rescan A,B 2',
      'add-prepare proposer-1 B 2',
      'add-accept proposer-1 C 2',
      'add-prepare proposer-1 C 2',
      ...['add-accept all B 2', 'add-prepare all B 2', 'add-accept all C 2', 'add-prepare all C 2'],
    ),
  ),
  broken(
    'a proposer that does not answer is left out',
    ['migration', 200, 22],
    { unguarded: [...guardOff.SOME_PROPOSERS, ...guardOff.NO_AGREEMENT, ...guardOff.NO_DANGERS] },
    guardOff.HASTY,
  ),
  broken(
    'the rescan is left out when growing',
    ['stepwise migration', 50, 3],
    { unguarded: guardOff.NO_DEBTS, playground: { id: 'debts', unguarded: 'the guard does not ask for a rescan' } },
    growing('add-accept all B 2', 'add-prepare all B 2', 'add-accept all C 2', 'add-prepare all C 2'),
  ),
  broken(
    'the rescan is left out when shrinking',
    ['stepwise migration', 400, 13],
    { unguarded: guardOff.NO_DEBTS },
    shrinking('rm-accept all C 2', 'rm-prepare all C 2', 'rm-accept all B 1', 'rm-prepare all B 1'),
  ),
  broken(
    'growing rescans at the end',
    ['stepwise migration', 50, 1],
    { unguarded: guardOff.NO_DEBTS },
    growing('add-accept all B 2', 'add-prepare all B 2', 'add-accept all C 2', 'add-prepare all C 2', 'rescan A,B 2'),
  ),
  broken(
    'growing rescans at the beginning',
    ['stepwise migration', 50, 10],
    { unguarded: guardOff.NO_DEBTS },
    growing('rescan A 1', 'add-accept all B 2', 'add-prepare all B 2', 'add-accept all C 2', 'add-prepare all C 2'),
  ),
  broken(
    'shrinking rescans at the beginning',
    ['stepwise migration', 300, 134],
    { unguarded: guardOff.NO_DEBTS },
    shrinking('rescan A,B 2', 'rm-accept all C 2', 'rm-prepare all C 2', 'rm-accept all B 1', 'rm-prepare all B 1'),
  ),
  broken(
    'an acceptor joins again without a wipe',
    ['stepwise migration', 60],
    {
      harmless: 'all it holds is older than what was acknowledged, or was never acknowledged: it is like one that was slow',
      unguarded: guardOff.ANY_MAY_JOIN,
    },
    [...guardOff.HASTY, patch(MIGRATION, WIPING, '')],
  ),
  broken(
    'an acceptor is wiped and joins again without a rescan between',
    ['stepwise migration', 400, 13],
    { unguarded: [...guardOff.NO_DEBTS, guardOff.COPIES_DO_NOT_COUNT] },
    shrinking(
      ...['rm-accept all C 2', 'rm-prepare all C 2', 'wipe-acceptor C', 'add-accept all C 2', 'add-prepare all C 2'],
      ...['rm-accept all C 2', 'rm-prepare all C 2', 'rescan A,B 2', 'rm-accept all B 1', 'rm-prepare all B 1'],
    ),
  ),
  broken(
    'an acceptor is wiped that the proposers list',
    ['stepwise migration', 60],
    {
      harmless: 'its identity goes with its data, so that no proposer uses it: it is like one that is down',
      unguarded: guardOff.ANY_MAY_BE_WIPED,
    },
    WIPED_WHILE_LISTED,
  ),
  broken(
    'an acceptor is wiped that the proposers list, and nobody checks who it is',
    ['stepwise migration', 200, 141],
    {
      unguarded: [
        ...guardOff.ANY_MAY_BE_WIPED,
        patch('src/protocol/memory-acceptor.ts', 'if (!register && this.#identity !== undefined', 'if (this.#identity === ""'),
      ],
      playground: { id: 'identity', unguarded: 'nobody checks who an acceptor is' },
    },
    WIPED_WHILE_LISTED,
  ),
  broken(
    'two operators at once: a configuration is written whatever its era',
    ['any commands', 1_000, 446],
    { unguarded: [patch('src/store/reconfiguration.ts', '    this.#assertEra(expectedEra);\n', '')] },
    [OFTEN_TWO],
  ),
];
