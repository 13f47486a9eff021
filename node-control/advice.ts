import { isDeepStrictEqual } from 'node:util';
import { isConfigured } from '../src/configuration.js';
import type { Plan } from './guard.js';
import { planSteps } from './plan.js';

/** What to do first where a step is refused: the steps that are missing on the way to where it leads, if there is such a way. */
export function adviceFor(plans: readonly Plan[]): string {
  const [first] = plans;
  if (!first) return '';
  const { before, after } = plans.find(({ changed }) => changed) ?? first;
  const isUniform = plans.every(
    (plan) => plan.changed && isDeepStrictEqual([plan.before.prepare, plan.before.accept], [before.prepare, before.accept]),
  );
  if (!isUniform) return 'Change all proposers in one step (all), or give one the sets of another (copy)';
  const resting = plans.flatMap((plan) => plan.before.resting ?? []);
  const way = planSteps({ ...before, resting }, after, { ...before.identities, ...after.identities });
  if (way && way.length > 1) {
    const missing = way.slice(0, -1).map(({ command }) => `./run-control.sh ${command}`);
    return `First: ${missing.join('; ')}`;
  }
  if (!isConfigured(before)) return 'No proposer can run a rescan now: build sets of which every prepare quorum meets that one';
  return 'With these quorums no order of steps is safe: choose larger ones';
}
