import { type Configuration, EMPTY_CONFIGURATION } from '../../src/protocol/configuration.js';
import { type Member, type Nodes, reachedAmong } from '../nodes/nodes.js';
import { underNewEra } from '../step/eras.js';
import { allAcceptors, seemToRun } from '../step/left-out.js';
import { type Manner, step, type StepReport } from '../step/step.js';
import type { Step } from '../safety/typed-step.js';
import { reportLines } from '../terminal/report.js';

/** Back to the empty configuration. The era goes on: it never returns to one that was used. So does what is known of values that rest somewhere. */
export async function wipe(nodes: Nodes, selection: string, manner: Manner = {}): Promise<string[]> {
  const { prepare, accept } = EMPTY_CONFIGURATION;
  const change = (present: Configuration): Configuration => ({ ...present, prepare, accept });
  const command: Step = { verb: 'wipe', proposers: selection };
  const selected = nodes.select(selection);
  const report = await step(nodes, { step: command, selected, change }, manner);
  const era = manner.dryRun ? undefined : await goOn(nodes, selected, report);
  return reportLines(
    report,
    ({ name, after, changed }) => `${name}: ${changed ? 'now' : 'already'} without acceptors (era ${era ?? after.era})`,
    manner,
  );
}

/**
 * Takes one more era. A proposer that has no acceptors any more tells them the era in which it has none, as it leaves; and one of which they know the present
 * era cannot be told from one that runs, when PROPOSERS does not name it any more. It will tell nobody the eras that come.
 *
 * @returns the era in force then; undefined if there was no need
 */
async function goOn(nodes: Nodes, selected: readonly Member[], { outcomes }: StepReport): Promise<number | undefined> {
  const acceptors = allAcceptors(
    nodes,
    outcomes.map(({ before }) => before),
  );
  const areLeaving = outcomes.some(({ changed }) => changed);
  const era = Math.max(0, ...outcomes.map(({ after }) => after.era));
  if (!(await seemToRun(nodes, selected, era, acceptors, areLeaving))) return undefined;
  return underNewEra(reachedAmong(await nodes.tryReadAll()), {}, ({ configuration }) => configuration);
}
