import { type Configuration, isConfigured } from '../src/configuration.js';
import type { QuorumSet } from '../src/quorum.js';
import { ControlError, type Member } from './cluster.js';

/** What a step is about to do to one proposer. */
export interface Plan {
  readonly member: Member;
  readonly before: Configuration;
  readonly after: Configuration;
  readonly changed: boolean;
}

/**
 * Whether every quorum of `a` shares an acceptor with every quorum of `b`: even where each takes what it can from outside the other, more
 * places are left than both have acceptors in common.
 */
export function alwaysMeet(a: QuorumSet, b: QuorumSet): boolean {
  const shared = a.nodes.filter((node) => b.nodes.includes(node)).length;
  const insideA = Math.max(0, a.quorum - (a.nodes.length - shared));
  const insideB = Math.max(0, b.quorum - (b.nodes.length - shared));
  return insideA + insideB > shared;
}

/**
 * While a step runs, some proposers are before it and some behind it. Refuses one that brings sets of which a prepare quorum and an accept
 * quorum could miss each other (paper, section 2.3). A proposer with an empty set runs no round and counts for nothing.
 */
export function assertQuorumsMeet(plans: readonly Plan[]): void {
  const states = plans.flatMap(({ member, before, after, changed }) => [
    { name: member.name, sets: before, isNew: false },
    ...(changed ? [{ name: member.name, sets: after, isNew: true }] : []),
  ]);
  const running = states.filter(({ sets }) => isConfigured(sets));
  for (const asks of running) {
    for (const writes of running) {
      if (!(asks.isNew || writes.isNew) || alwaysMeet(asks.sets.prepare, writes.sets.accept)) continue;
      throw new ControlError(
        `${asks.name} would prepare on ${setText(asks.sets.prepare)} while ${writes.name} accepts on ${setText(writes.sets.accept)}: ` +
          'these quorums could miss each other, and a write be lost. Nothing was changed. Is a step missing? See the order in the README',
      );
    }
  }
}

function setText({ nodes, quorum }: QuorumSet): string {
  return `${quorum} of ${nodes.join(' ')}`;
}
