import type { Nodes } from '../nodes/nodes.js';
import type { Transition } from '../safety/guard.js';
import { judge, type Judgement } from './judge.js';
import { look } from './look.js';
import type { Sight, StepOrder } from './sight.js';
import { write } from './write.js';

/** How a step is carried out. */
export interface Manner {
  /** Although it is not safe; it is then recorded in the configurations. */
  readonly force?: boolean;
  /** Says what it would do, or why not, and changes nothing. */
  readonly dryRun?: boolean;
  /** A rescan brings every key by a round, where registers could be copied (paper, section 2.3.3). */
  readonly byRounds?: boolean;
}

export interface StepReport {
  /** What was done to the selected proposers. */
  readonly outcomes: readonly Transition[];
  /** What a forced step was done in spite of. */
  readonly warnings: readonly string[];
  /** What an operator should know of acceptors that join. */
  readonly remarks: readonly string[];
}

/**
 * One step of a membership change (paper, section 2.3), safe against a second operator and against rounds that were begun before it, and
 * refused if it could lose a write: it looks, judges and writes. A step that was interrupted is finished by running it again.
 *
 * @throws ControlError if the step is refused, could not be done, or not be finished
 */
export async function step(nodes: Nodes, order: StepOrder, { force = false, dryRun = false }: Manner = {}): Promise<StepReport> {
  const sight = await look(nodes, order, force);
  const verdict = judge(sight, force);
  if (dryRun || sight.isDone) return report(sight, verdict);
  return report(sight, verdict, await write(nodes, sight, verdict, force));
}

function report({ order, transitions, joining: { remarks } }: Sight, { warnings }: Judgement, era?: number): StepReport {
  const outcomes = transitions
    .filter(({ member }) => order.selected.includes(member))
    .map(({ name, before, after, changed }) => ({ name, before, after: { ...after, era: era ?? after.era }, changed }));
  return { outcomes, warnings, remarks };
}
