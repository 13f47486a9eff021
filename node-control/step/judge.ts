import type { Configuration } from '../../src/protocol/configuration.js';
import { adviceFor } from '../safety/advice.js';
import { dangersOf, setsKey } from '../safety/guard.js';
import { type Advice, ControlError, type Objection } from '../safety/objection.js';
import { shortagesOf } from './absence.js';
import { leavingBehind, leftOutObjections } from './left-out.js';
import type { Sight } from './sight.js';

/** A step that may be written. */
export interface Judgement {
  /** What speaks against a step that is forced. */
  readonly warnings: readonly string[];
}

const HALF_DONE: Objection = {
  why: 'the proposers differ: another step is under way or was interrupted, or one of them lost its sets',
  advice: 'Run that step again, or give one the sets of another (copy), then run this one',
};

/** Decides from what was seen, without asking anybody. @throws ControlError if anything speaks against the step and it is not forced */
export function judge(sight: Sight, force: boolean): Judgement {
  const { order, present, transitions, joining, absence, missing, leftOut, isFloorTold, isSettled, isDone } = sight;
  if (isDone) return { warnings: [] };
  const { selected } = order;
  const objections: readonly Objection[] = [
    ...missing.map((name) => ({ why: `${name} cannot be reached and is left behind`, advice: 'Start it' })),
    ...leftOutObjections(leftOut, leavingBehind(present)),
    // Half of another step is to be seen. Repeating that one makes the proposers agree; a step on top of it would leave them two steps apart.
    ...(isSettled || selected.length < transitions.length || agree(transitions.map(({ after }) => after)) ? [] : [HALF_DONE]),
    ...joining.objections,
    ...(isFloorTold ? [] : [untoldFloor(joining)]),
    ...shortagesOf(absence, transitions),
  ];
  const dangers = dangersOf(transitions).map(({ message }) => message);
  const warnings = [...objections.map(({ why }) => why), ...dangers];
  const [first] = warnings;
  if (first !== undefined && !force) throw new ControlError(`${first}. Nothing was changed`, objections[0] ?? orderAdvice(order.step));
  return { warnings };

  function orderAdvice({ verb }: typeof order.step): Advice {
    if (verb === 'add' || verb === 'rm') return adviceFor(transitions);
    return { advice: 'Look at the order of the steps in the README' };
  }
}

function untoldFloor({ newcomers }: Sight['joining']): Objection {
  const names = Object.keys(newcomers).join(' and ');
  return {
    why: `no acceptor of the cluster answers, to say what ${names} must know of what was deleted`,
    advice: 'Start those that are down and run the command again. One that is gone for good is taken out of ACCEPTORS of the control node',
  };
}

function agree([first, ...others]: readonly Configuration[]): boolean {
  return others.every((other) => setsKey(other) === (first && setsKey(first)));
}
