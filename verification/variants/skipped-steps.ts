import { NO_DANGERS, NO_DEBTS } from './guard-off.js';
import { growing, shrinking } from './steps.js';
import type { Variant } from './variant.js';

const THIRD_IS_NO_HELP =
  'both of two meet any two of three: the third acceptor is just no help, and the service still stops with either of the others';
const SECOND_IS_NEEDED = 'both have to answer in one phase, acceptor-1 in the other: the second acceptor is just needed still';

/** Each step of the README, left out; its rescans are in `steps.ts`. */
export const SKIPPED_STEPS: readonly Variant[] = [
  {
    name: 'a step is skipped: no add-accept for the second acceptor',
    scenario: 'stepwise migration',
    seeds: 50,
    seed: 5,
    patches: growing('rescan A,B 2', 'add-prepare all B 2', 'add-accept all C 2', 'add-prepare all C 2'),
    unguarded: NO_DEBTS,
  },
  {
    name: 'a step is skipped: no add-prepare for the second acceptor',
    scenario: 'stepwise migration',
    seeds: 50,
    seed: 1,
    patches: growing('add-accept all B 2', 'rescan A,B 2', 'add-accept all C 2', 'add-prepare all C 2'),
    unguarded: NO_DANGERS,
  },
  {
    name: 'a step is skipped: no add-accept for the third acceptor',
    scenario: 'stepwise migration',
    seeds: 100,
    harmless: THIRD_IS_NO_HELP,
    patches: growing('add-accept all B 2', 'rescan A,B 2', 'add-prepare all B 2', 'add-prepare all C 2'),
  },
  {
    name: 'a step is skipped: no add-prepare for the third acceptor',
    scenario: 'stepwise migration',
    seeds: 100,
    harmless: THIRD_IS_NO_HELP,
    patches: growing('add-accept all B 2', 'rescan A,B 2', 'add-prepare all B 2', 'add-accept all C 2'),
  },
  {
    name: 'a step is skipped: no rm-accept for the third acceptor',
    scenario: 'stepwise migration',
    seeds: 50,
    seed: 2,
    patches: shrinking('rm-prepare all C 2', 'rescan A,B 2', 'rm-accept all B 1', 'rm-prepare all B 1'),
    unguarded: NO_DANGERS,
  },
  {
    name: 'a step is skipped: no rm-prepare for the third acceptor',
    scenario: 'stepwise migration',
    seeds: 50,
    seed: 3,
    patches: shrinking('rm-accept all C 2', 'rescan A,B 2', 'rm-accept all B 1', 'rm-prepare all B 1'),
    unguarded: NO_DANGERS,
  },
  {
    name: 'a step is skipped: no rm-accept for the second acceptor',
    scenario: 'stepwise migration',
    seeds: 100,
    harmless: SECOND_IS_NEEDED,
    patches: shrinking('rm-accept all C 2', 'rm-prepare all C 2', 'rescan A,B 2', 'rm-prepare all B 1'),
  },
  {
    name: 'a step is skipped: no rm-prepare for the second acceptor',
    scenario: 'stepwise migration',
    seeds: 100,
    harmless: SECOND_IS_NEEDED,
    patches: shrinking('rm-accept all C 2', 'rm-prepare all C 2', 'rescan A,B 2', 'rm-accept all B 1'),
  },
];
