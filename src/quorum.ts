import type { Time } from './time.js';

/** Acceptors, of which any `quorum` decide. Invariant: 1 <= quorum <= nodes.length, or both are 0. */
export interface QuorumSet {
  readonly nodes: readonly string[];
  readonly quorum: number;
}

/** Whether these voters contain a quorum of the set. Voters outside the set do not count. */
export function containsQuorum(set: QuorumSet, voters: Iterable<string>): boolean {
  let votes = 0;
  for (const voter of voters) if (set.nodes.includes(voter)) votes += 1;
  return set.quorum > 0 && votes >= set.quorum;
}

/**
 * Asks every node at once and settles as soon as the outcome is certain; what arrives later is ignored.
 *
 * @param ask throws, rejects, or never settles, where the node does not answer
 * @param isDecided called after each answer or failure with the replies so far and the number of nodes still to answer
 * @param timeoutMs ends the wait; the nodes that did not answer by then count as failed
 * @param onFailure called with the reason why a node did not answer, before the outcome is certain
 * @returns the replies that led to the decision, by node
 */
export function gather<Reply>(
  nodes: readonly string[],
  ask: (node: string) => Promise<Reply>,
  isDecided: (replies: ReadonlyMap<string, Reply>, outstanding: number) => boolean,
  time: Time,
  timeoutMs: number,
  onFailure?: (node: string, reason: unknown) => void,
): Promise<ReadonlyMap<string, Reply>> {
  return new Promise((resolve) => {
    const replies = new Map<string, Reply>();
    let outstanding = nodes.length;
    let settled = false;
    const settle = (): void => {
      settled = true;
      cancel();
      resolve(replies);
    };
    const cancel = time.after(timeoutMs, settle);
    const answered = (): void => {
      outstanding -= 1;
      if (isDecided(replies, outstanding) || outstanding === 0) settle();
    };
    // Async, so that a node that cannot even be asked, an unusable address say, is one that failed.
    const asked = async (node: string): Promise<Reply> => ask(node);
    for (const node of nodes) {
      asked(node).then(
        (reply) => {
          if (settled) return;
          replies.set(node, reply);
          answered();
        },
        (reason: unknown) => {
          if (settled) return;
          onFailure?.(node, reason);
          answered();
        },
      );
    }
  });
}
