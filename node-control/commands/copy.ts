import type { Configuration } from '../../src/protocol/configuration.js';
import type { Nodes, MemberConfiguration } from '../nodes/nodes.js';
import { ControlError } from '../safety/objection.js';
import { type Manner, step } from '../step/step.js';
import type { Step } from '../safety/typed-step.js';
import { reportLines } from '../terminal/report.js';

/**
 * Gives proposers both sets of another one in a single step: for one that lost its folder, or is new. Building its sets up acceptor by
 * acceptor would let it run rounds on quorums that miss those of the others.
 */
export async function copy(nodes: Nodes, from: string, selection: string, manner: Manner = {}): Promise<string[]> {
  const [source, ...others] = nodes.select(from);
  if (!source || others.length > 0) throw new ControlError('copy takes the sets of one proposer, not of all');
  const change = (present: Configuration, all: readonly MemberConfiguration[]): Configuration => {
    const { prepare, accept } = all.find(({ member }) => member === source)?.configuration ?? present;
    return { ...present, prepare, accept };
  };
  const command: Step = { verb: 'copy', from, proposers: selection };
  const report = await step(nodes, { step: command, selected: nodes.select(selection), change }, manner);
  return reportLines(
    report,
    ({ name, after, changed }) => `${name}: ${changed ? 'now' : 'already'} with the sets of ${from} (era ${after.era})`,
    manner,
  );
}
