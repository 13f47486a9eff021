import { NO_DANGERS, NO_DEBTS } from './guard-off.js';
import { growing, shrinking } from './steps.js';
import { broken, type Variant } from './variant.js';

const THIRD_IS_NO_HELP =
  'both of two meet any two of three: the third acceptor is just no help, and the service still stops with either of the others';
const SECOND_IS_NEEDED = 'both have to answer in one phase, acceptor-1 in the other: the second acceptor is just needed still';

/** Each step of the README, left out; its rescans are in `steps.ts`. */
export const SKIPPED_STEPS: readonly Variant[] = [
  broken(
    'a step is skipped: no add-accept for the second acceptor',
    ['stepwise migration', 50, 5],
    { unguarded: NO_DEBTS },
    growing('rescan A,B 2', 'add-prepare all B 2', 'add-accept all C 2', 'add-prepare all C 2'),
  ),
  broken(
    'a step is skipped: no add-prepare for the second acceptor',
    ['stepwise migration', 50, 1],
    { unguarded: NO_DANGERS },
    growing('add-accept all B 2', 'rescan A,B 2', 'add-accept all C 2', 'add-prepare all C 2'),
  ),
  broken(
    'a step is skipped: no add-accept for the third acceptor',
    ['stepwise migration', 100],
    { harmless: THIRD_IS_NO_HELP },
    growing('add-accept all B 2', 'rescan A,B 2', 'add-prepare all B 2', 'add-prepare all C 2'),
  ),
  broken(
    'a step is skipped: no add-prepare for the third acceptor',
    ['stepwise migration', 100],
    { harmless: THIRD_IS_NO_HELP },
    growing('add-accept all B 2', 'rescan A,B 2', 'add-prepare all B 2', 'add-accept all C 2'),
  ),
  broken(
    'a step is skipped: no rm-accept for the third acceptor',
    ['stepwise migration', 50, 2],
    { unguarded: NO_DANGERS },
    shrinking('rm-prepare all C 2', 'rescan A,B 2', 'rm-accept all B 1', 'rm-prepare all B 1'),
  ),
  broken(
    'a step is skipped: no rm-prepare for the third acceptor',
    ['stepwise migration', 50, 3],
    { unguarded: NO_DANGERS },
    shrinking('rm-accept all C 2', 'rescan A,B 2', 'rm-accept all B 1', 'rm-prepare all B 1'),
  ),
  broken(
    'a step is skipped: no rm-accept for the second acceptor',
    ['stepwise migration', 100],
    { harmless: SECOND_IS_NEEDED },
    shrinking('rm-accept all C 2', 'rm-prepare all C 2', 'rescan A,B 2', 'rm-prepare all B 1'),
  ),
  broken(
    'a step is skipped: no rm-prepare for the second acceptor',
    ['stepwise migration', 100],
    { harmless: SECOND_IS_NEEDED },
    shrinking('rm-accept all C 2', 'rm-prepare all C 2', 'rescan A,B 2', 'rm-accept all B 1'),
  ),
];
