import { ClusterError, NotRun, StrangerError } from './errors.js';

/** Acceptors, of which any `quorum` decide. Invariant: 1 <= quorum <= nodes.length, or both are 0. */
export interface QuorumSet {
  readonly nodes: readonly string[];
  readonly quorum: number;
}

/** What the acceptors answered, by name. */
export type Replies<Reply> = ReadonlyMap<string, Reply>;

/** The replies, and why the others that were heard of failed, by name. */
export interface Heard<Reply> {
  readonly replies: Replies<Reply>;
  readonly failures: ReadonlyMap<string, unknown>;
}

/** Whether these voters contain a quorum of the set. Voters outside the set do not count. */
export function containsQuorum(set: QuorumSet, voters: Iterable<string>): boolean {
  let votes = 0;
  for (const voter of voters) if (set.nodes.includes(voter)) votes += 1;
  return set.quorum > 0 && votes >= set.quorum;
}

/** Every acceptor of the sets, each once. */
export const nodesOf = (sets: readonly QuorumSet[]): readonly string[] => [...new Set(sets.flatMap(({ nodes }) => nodes))];

/** The acceptors that said yes. */
export function ayes(replies: Replies<{ ok: boolean }>): string[] {
  return [...replies].flatMap(([node, reply]) => (reply.ok ? [node] : []));
}

/** Won once a quorum said yes; lost once so many said no that those who have not answered cannot make one any more; else pending. */
export function voteOf({ quorum }: QuorumSet, replies: Replies<{ ok: boolean }>, outstanding: number): 'pending' | 'won' | 'lost' {
  const votes = ayes(replies).length;
  if (votes >= quorum) return 'won';
  return votes + outstanding < quorum ? 'lost' : 'pending';
}

/** Whether none of the acceptors that were heard of ran the message, and each of them is certain not to run it later either. */
export function isRunByNone({ replies, failures }: Heard<unknown>): boolean {
  return replies.size === 0 && [...failures.values()].every((reason) => reason instanceof NotRun);
}

/** Why acceptors failed, as the cause of an error. */
export const causeOf = ({ failures }: Heard<unknown>): AggregateError => new AggregateError(failures.values());

const STRANGER = ' lost the data or is another acceptor and is not used';

/**
 * Says why a vote was not won.
 * @param verb what the acceptors were asked to do, in the past tense
 */
export function shortfall(verb: string, { nodes, quorum }: QuorumSet, { replies, failures }: Heard<{ ok: boolean }>): string {
  const votes = ayes(replies).length;
  const count = `${votes} of ${nodes.length} acceptors ${verb}, ${quorum} are needed; ${replies.size - votes} preferred a higher ballot`;
  const nodesByReason = new Map<string, string[]>();
  for (const node of nodes) {
    const reason = failures.get(node);
    if (!(reason instanceof ClusterError)) continue;
    const text = reason instanceof StrangerError ? STRANGER : `: ${reason.message}`;
    nodesByReason.set(text, [...(nodesByReason.get(text) ?? []), node]);
  }
  return [count, ...[...nodesByReason].map(([text, names]) => names.join(' and ') + text)].join('; ');
}
