/** Acceptors, of which any `quorum` decide. Invariant: 1 <= quorum <= nodes.length, or both are 0. */
export interface QuorumSet {
  readonly nodes: readonly string[];
  readonly quorum: number;
}

/** What the acceptors answered, by name. */
export type Replies<Reply> = ReadonlyMap<string, Reply>;

/** Whether these voters contain a quorum of the set. Voters outside the set do not count. */
export function containsQuorum(set: QuorumSet, voters: Iterable<string>): boolean {
  let votes = 0;
  for (const voter of voters) if (set.nodes.includes(voter)) votes += 1;
  return set.quorum > 0 && votes >= set.quorum;
}

/** The acceptors that said yes. */
export function ayes(replies: Replies<{ ok: boolean }>): string[] {
  return [...replies].flatMap(([node, reply]) => (reply.ok ? [node] : []));
}

/** Won once a quorum said yes; lost once so many said no that those who have not answered cannot make one any more; else pending. */
export function voteOf({ quorum }: QuorumSet, replies: Replies<{ ok: boolean }>, outstanding: number): 'pending' | 'won' | 'lost' {
  let votes = 0;
  for (const { ok } of replies.values()) if (ok) votes += 1;
  if (votes >= quorum) return 'won';
  return votes + outstanding < quorum ? 'lost' : 'pending';
}

/**
 * Says why a vote was not won.
 * @param verb what the acceptors were asked to do, in the past tense
 * @param strangers those at whose address another acceptor answered
 */
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
