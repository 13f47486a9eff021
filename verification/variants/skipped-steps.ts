import { GROW, SHRINK } from '../simulation/migration.js';
import { NO_DANGERS, NO_DEBTS } from './guard-off.js';
import { growing, shrinking } from './steps.js';
import { broken, type Variant } from './variant.js';

const THIRD_IS_NO_HELP =
  'both of two meet any two of three: the third acceptor is just no help, and the service still stops with either of the others';
const SECOND_IS_NEEDED = 'both have to answer in one phase, acceptor-1 in the other: the second acceptor is just needed still';

/** @param step of the README's, as in `migration.ts`; all others are typed */
function skipped(step: string, seeds: readonly [seeds: number, seed?: number], more: Parameters<typeof broken>[2]): Variant {
  const [verb = '', , letter] = step.split(' ');
  const others = (steps: readonly string[]): string[] => steps.filter((other) => other !== step);
  const patches = GROW.includes(step) ? growing(...others(GROW)) : shrinking(...others(SHRINK));
  const name = `a step is skipped: no ${verb} for the ${letter === 'B' ? 'second' : 'third'} acceptor`;
  return broken(name, ['stepwise migration', ...seeds], more, patches);
}

/** Each step of the README, left out; its rescans are in `steps.ts`. */
export const SKIPPED_STEPS: readonly Variant[] = [
  skipped('add-accept all B 2', [50, 5], { unguarded: NO_DEBTS }),
  skipped('add-prepare all B 2', [50, 1], { unguarded: NO_DANGERS }),
  skipped('add-accept all C 2', [100], { harmless: THIRD_IS_NO_HELP }),
  skipped('add-prepare all C 2', [100], { harmless: THIRD_IS_NO_HELP }),
  skipped('rm-accept all C 2', [50, 5], { unguarded: NO_DANGERS }),
  skipped('rm-prepare all C 2', [50, 3], { unguarded: NO_DANGERS }),
  skipped('rm-accept all B 1', [100], { harmless: SECOND_IS_NEEDED }),
  skipped('rm-prepare all B 1', [100], { harmless: SECOND_IS_NEEDED }),
];
