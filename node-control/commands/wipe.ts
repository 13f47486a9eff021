import { type Configuration, EMPTY_CONFIGURATION } from '../../src/protocol/configuration.js';
import type { Nodes } from '../nodes/nodes.js';
import { type Manner, step } from '../step/step.js';
import type { Step } from '../safety/typed-step.js';
import { reportLines } from '../terminal/report.js';

/** Back to the empty configuration. The era goes on: it never returns to one that was used. So does what is known of values that rest somewhere. */
export async function wipe(nodes: Nodes, selection: string, manner: Manner = {}): Promise<string[]> {
  const { prepare, accept } = EMPTY_CONFIGURATION;
  const change = (present: Configuration): Configuration => ({ ...present, prepare, accept });
  const command: Step = { verb: 'wipe', proposers: selection };
  const report = await step(nodes, { step: command, selected: nodes.select(selection), change }, manner);
  return reportLines(
    report,
    ({ name, after, changed }) => `${name}: ${changed ? 'now' : 'already'} without acceptors (era ${after.era})`,
    manner,
  );
}
