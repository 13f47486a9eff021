import type { Configuration } from '../../src/protocol/configuration.js';
import type { QuorumSet } from '../../src/protocol/quorum.js';
import type { Nodes } from '../nodes/nodes.js';
import { ControlError } from '../safety/objection.js';
import { setText, type Transition } from '../safety/guard.js';
import type { StepPhase, StepOf } from '../safety/typed-step.js';
import { type Manner, step } from '../step/step.js';
import { reportLines } from '../terminal/report.js';

/** Adds an acceptor to a set of the selected proposers, or removes it, and sets the quorum of that set. */
export async function membership(nodes: Nodes, command: StepOf<'add' | 'rm'>, manner: Manner = {}): Promise<string[]> {
  const { verb, phase, proposers, acceptor, quorum } = command;
  const selected = nodes.select(proposers);
  nodes.assertAcceptor(acceptor);
  const edit = verb === 'add' ? add : remove;
  const change = (present: Configuration): Configuration => ({ ...present, [phase]: edit(present[phase], acceptor, quorum) });
  const report = await step(nodes, { step: command, selected, change }, manner);
  return reportLines(report, (outcome) => describe(outcome, phase), manner);
}

function add({ nodes }: QuorumSet, acceptor: string, quorum: number): QuorumSet {
  return checked(nodes.includes(acceptor) ? [...nodes] : [...nodes, acceptor], quorum);
}

function remove({ nodes }: QuorumSet, acceptor: string, quorum: number): QuorumSet {
  return checked(
    nodes.filter((node) => node !== acceptor),
    quorum,
  );
}

function checked(nodes: readonly string[], quorum: number): QuorumSet {
  const smallest = nodes.length === 0 ? 0 : 1;
  if (quorum >= smallest && quorum <= nodes.length) return { nodes, quorum };
  const size = nodes.length === 0 ? 'is empty' : `has ${nodes.length} acceptor${nodes.length === 1 ? '' : 's'} (${nodes.join(', ')})`;
  const range = smallest === nodes.length ? `${smallest}` : `${smallest} to ${nodes.length}`;
  throw new ControlError(`the set then ${size}: its quorum can be ${range}, not ${quorum}. Nothing was changed`);
}

function describe({ name, before, after, changed }: Transition, phase: StepPhase): string {
  if (!changed) return `${name}: already ${phase} ${setText(after[phase])} (era ${after.era})`;
  return `${name}: ${phase} ${setText(after[phase])}, was ${setText(before[phase])} (era ${after.era})`;
}
