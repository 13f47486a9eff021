import { isDeepStrictEqual } from 'node:util';
import { isConfigured } from '../../src/protocol/configuration.js';
import { entryKey, type Transition } from './guard.js';
import type { Advice } from './objection.js';
import { planSteps } from './plan.js';

/** Advice that takes a longer search than this is better given by `resize`. */
const ADVICE_STATES_MAX = 500;

/** What to do first if a step is refused: the steps that are missing on the way to where it leads, if there is such a way. */
export function adviceFor(transitions: readonly Transition[]): Advice {
  const [first] = transitions;
  if (!first) return { advice: 'Look at the order of the steps in the README' };
  const { before, after } = first;
  const isUniform = transitions.every(
    (transition) =>
      transition.changed && isDeepStrictEqual([transition.before.prepare, transition.before.accept], [before.prepare, before.accept]),
  );
  if (!isUniform) return { advice: 'Change all proposers in one step (all), or give one the sets of another (copy)' };
  const phase = entryKey(before.accept) === entryKey(after.accept) ? 'prepare' : 'accept';
  const resting = transitions.flatMap((transition) => transition.before.resting ?? []);
  const identities = { ...before.identities, ...after.identities };
  // Sets that are not safe beside each other may be so once the other one has followed.
  const goals = [after, { prepare: after.accept, accept: after.accept }, { prepare: after.prepare, accept: after.prepare }];
  for (const goal of goals) {
    const way = planSteps({ ...before, resting }, goal, identities, ADVICE_STATES_MAX) ?? [];
    // By its effect: a quorum can be changed by naming any of the acceptors.
    const at = way.findIndex((planned) => entryKey(planned.after[phase]) === entryKey(after[phase]));
    const missing = way.slice(0, Math.max(0, at));
    if (missing.length > 0) return { advice: 'First', steps: missing.map(({ step }) => step) };
  }
  if (!isConfigured(before)) {
    return { advice: 'No proposer can run a rescan now: build sets of which every prepare quorum meets that one' };
  }
  return { advice: 'With these quorums no order of steps is safe: choose larger ones' };
}
