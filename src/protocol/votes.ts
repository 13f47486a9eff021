import type { Accepted } from './acceptor.js';
import { compareBallots, ZERO_BALLOT } from './ballot.js';
import type { Configuration } from './configuration.js';
import { containsQuorum, type QuorumSet } from './quorum.js';

/** By node. */
export type Replies<Reply> = ReadonlyMap<string, Reply>;

/** The nodes that said yes. */
export function ayes(replies: Replies<{ ok: boolean }>): string[] {
  return [...replies].flatMap(([node, reply]) => (reply.ok ? [node] : []));
}

/** Whether a quorum said yes, or can no longer be reached. */
export function isVoteOver({ quorum }: QuorumSet, replies: Replies<{ ok: boolean }>, outstanding: number): boolean {
  let votes = 0;
  for (const { ok } of replies.values()) if (ok) votes += 1;
  return votes >= quorum || votes + outstanding < quorum;
}

/**
 * The accepted value that these replies prove to be the register's, if they do: the same ballot, of this era or the next, on a
 * prepare quorum and on an accept quorum. Then that value is chosen, and no later one was when the first of them was asked.
 */
export function provenBy(replies: Replies<Accepted>, { era, prepare, accept }: Configuration): Accepted | undefined {
  // As in a round: sets that are two steps behind prove nothing.
  for (const { ballot } of replies.values()) if (ballot.era > era + 1) return undefined;
  for (const reply of replies.values()) {
    const nodes: string[] = [];
    for (const [node, { ballot }] of replies) if (compareBallots(ballot, reply.ballot) === 0) nodes.push(node);
    if (!containsQuorum(prepare, nodes)) continue;
    // That no acceptor of a prepare quorum has accepted anything proves the register empty, whatever the others hold.
    const isEmpty = compareBallots(reply.ballot, ZERO_BALLOT) === 0;
    if (isEmpty || (containsQuorum(accept, nodes) && reply.ballot.era >= era)) return reply;
  }
  return undefined;
}

/** Why a vote failed, in words. @param strangers nodes at whose address another acceptor answers */
export function shortfall(
  verb: string,
  { nodes, quorum }: QuorumSet,
  replies: Replies<{ ok: boolean }>,
  strangers: readonly string[] = [],
): string {
  const votes = ayes(replies).length;
  const count = `${votes} of ${nodes.length} acceptors ${verb}, ${quorum} are needed; ${replies.size - votes} preferred a higher ballot`;
  if (strangers.length === 0) return count;
  return `${count}; ${strangers.join(' and ')} lost the data or is another acceptor and is not used: see run-control.sh status`;
}
