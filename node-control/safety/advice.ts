import { isDeepStrictEqual } from 'node:util';
import { isConfigured } from '../../src/protocol/configuration.js';
import { entryKey, type Plan } from './guard.js';
import { planSteps } from './plan.js';

/** Advice that takes a longer search than this is better given by `resize`. */
const ADVICE_STATES_MAX = 500;

/** What to do first where a step is refused: the steps that are missing on the way to where it leads, if there is such a way. */
export function adviceFor(plans: readonly Plan[]): string {
  const [first] = plans;
  if (!first) return '';
  const { before, after } = plans.find(({ changed }) => changed) ?? first;
  const isUniform = plans.every(
    (plan) => plan.changed && isDeepStrictEqual([plan.before.prepare, plan.before.accept], [before.prepare, before.accept]),
  );
  if (!isUniform) return 'Change all proposers in one step (all), or give one the sets of another (copy)';
  const phase = entryKey(before.accept) === entryKey(after.accept) ? 'prepare' : 'accept';
  const resting = plans.flatMap((plan) => plan.before.resting ?? []);
  const identities = { ...before.identities, ...after.identities };
  // Sets that are not safe beside each other may be so once the other one has followed.
  const goals = [after, { prepare: after.accept, accept: after.accept }, { prepare: after.prepare, accept: after.prepare }];
  for (const goal of goals) {
    const way = planSteps({ ...before, resting }, goal, identities, ADVICE_STATES_MAX) ?? [];
    // By its effect: a quorum can be changed by naming any of the acceptors.
    const at = way.findIndex(
      (planned) => planned.command.includes(`-${phase} `) && entryKey(planned.after[phase]) === entryKey(after[phase]),
    );
    const missing = way.slice(0, Math.max(0, at));
    if (missing.length > 0) return `First: ${missing.map((planned) => `./run-control.sh ${planned.command}`).join('; ')}`;
  }
  if (!isConfigured(before)) return 'No proposer can run a rescan now: build sets of which every prepare quorum meets that one';
  return 'With these quorums no order of steps is safe: choose larger ones';
}
