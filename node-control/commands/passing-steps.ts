import type { QuorumSet } from '../../src/protocol/quorum.js';
import type { Nodes } from '../nodes/nodes.js';
import { ControlError } from '../safety/objection.js';
import { majority } from '../safety/plan.js';
import type { Step, StepOf } from '../safety/typed-step.js';
import { type Absence, shortage } from '../step/absence.js';
import { haveSameSets } from '../step/agreement.js';
import { UNSEEN } from '../terminal/terminal.js';
import { carryOut } from './carry-out.js';
import { absenceOf, planFrom } from './resize-plan.js';

/** How often what refuses a step is asked for the step that has to go before it. */
const DETOURS_MAX = 4;

/** These steps, with those before them that a refusal of the first one asks for; undefined if no such way passes. */
export async function withDetours(nodes: Nodes, steps: readonly Step[]): Promise<readonly Step[] | undefined> {
  let way = steps;
  for (let detours = 0; detours <= DETOURS_MAX; detours += 1) {
    const [first] = way;
    if (!first) return undefined;
    const refusal = await refusalOf(nodes, first);
    if (!refusal) return way;
    if (refusal.steps.length === 0) return undefined;
    way = [...refusal.steps, ...way];
  }
  return undefined;
}

/** What speaks against a step at this moment; undefined if nothing does. */
async function refusalOf(nodes: Nodes, step: Step): Promise<ControlError | undefined> {
  try {
    if (step.verb === 'rescan') await assertRescan(nodes, step);
    else await carryOut(step, nodes, UNSEEN, { dryRun: true });
    return step.verb === 'resize' ? await refusalOfPlan(nodes, step) : undefined;
  } catch (error) {
    if (error instanceof ControlError) return error;
    throw error;
  }
}

/** A resize has refused nothing yet where one of its steps will be. */
async function refusalOfPlan(nodes: Nodes, { acceptors }: StepOf<'resize'>): Promise<ControlError | undefined> {
  const present = await nodes.readAll();
  const absence = await absenceOf(nodes, present);
  const absent = absentOf(absence);
  if (!haveSameSets(present.map(({ configuration }) => configuration))) {
    // It gives all of them the sets of one first, and whose these are, and what is to come then, is not looked into.
    return absence.unreachable.length === 0 ? undefined : new ControlError(`${absence.unreachable.join(' and ')} cannot take part`);
  }
  const plan = await planFrom(nodes, present, { prepare: all(acceptors), accept: all(acceptors) });
  const isShort = (set: QuorumSet): boolean => shortage(set, absent) > 0;
  const stops = plan.some(
    ({ step, after }) => isShort(after.prepare) || isShort(after.accept) || (step.verb === 'rescan' && isShort(listing(step))),
  );
  if (stops) return new ControlError(`${absent.join(' and ')} cannot take part`);
  const [next] = plan;
  return next && refusalOf(nodes, next.step);
}

/** Throws what a rescan would end with whose acceptors do not answer. */
async function assertRescan(nodes: Nodes, step: StepOf<'rescan'>): Promise<void> {
  const present = await nodes.readAll();
  const absent = absentOf(await absenceOf(nodes, present));
  const sets = present.flatMap(({ configuration: { prepare, accept } }) => [prepare, accept]);
  if ([listing(step), ...sets].some((set) => shortage(set, absent) > 0)) throw new ControlError(`${absent.join(' and ')} cannot take part`);
}

function listing({ acceptors, required }: StepOf<'rescan'>): QuorumSet {
  return { nodes: acceptors, quorum: required };
}

function absentOf({ unreachable, strangers }: Absence): string[] {
  return [...unreachable, ...strangers];
}

/** These acceptors, with a majority as quorum. */
export function all(nodes: readonly string[]): QuorumSet {
  return { nodes, quorum: majority(nodes.length) };
}
