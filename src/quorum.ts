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

export interface Patience {
  /** Ends the wait; the nodes that did not answer by then count as failed. In milliseconds. */
  readonly timeoutMs: number;
  /** How many nodes are asked at once. The others are asked where these do not decide, one fails, or one takes longer than `lateMs`. */
  readonly atFirst?: number;
  readonly lateMs?: number;
  /** Called with the reason why a node did not answer, before the outcome is certain. */
  readonly onFailure?: (node: string, reason: unknown) => void;
  /** Called with every node that had been asked `lateMs` ago and did not answer. */
  readonly onLate?: (node: string) => void;
}

/**
 * Asks the nodes and settles as soon as the outcome is certain; what arrives later is ignored.
 *
 * @param ask throws, rejects, or never settles, where the node does not answer
 * @param isDecided called after each answer or failure with the replies so far and the number of nodes still to answer
 * @returns the replies that led to the decision, by node
 */
export function gather<Reply>(
  nodes: readonly string[],
  ask: (node: string) => Promise<Reply>,
  isDecided: (replies: ReadonlyMap<string, Reply>, outstanding: number) => boolean,
  time: Time,
  { timeoutMs, atFirst = nodes.length, lateMs = timeoutMs, onFailure, onLate }: Patience,
): Promise<ReadonlyMap<string, Reply>> {
  return new Promise((resolve) => {
    const replies = new Map<string, Reply>();
    const failed = new Set<string>();
    let asked = 0;
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
      cancel();
      resolve(replies);
    };
    const heard = (): void => {
      const outstanding = nodes.length - replies.size - failed.size;
      if (isDecided(replies, outstanding) || outstanding === 0) settle();
      else if (failed.size > 0 || replies.size === asked) askUpTo(nodes.length);
    };
    const fail = (node: string, reason: unknown): void => {
      if (isSettled) return;
      failed.add(node);
      onFailure?.(node, reason);
      heard();
    };
    const askOne = (node: string): void => {
      let reply: Promise<Reply>;
      try {
        reply = ask(node);
      } catch (error) {
        // A node that cannot even be asked, an unusable address say, is one that failed; but not before the others have been asked.
        queueMicrotask(() => fail(node, error));
        return;
      }
      reply.then(
        (answer) => {
          if (isSettled) return;
          replies.set(node, answer);
          heard();
        },
        (reason: unknown) => fail(node, reason),
      );
    };
    const askUpTo = (count: number): void => {
      for (; asked < count; asked += 1) askOne(nodes[asked] ?? '');
    };
    let cancel = time.after(Math.min(lateMs, timeoutMs), () => {
      if (lateMs >= timeoutMs) {
        settle();
        return;
      }
      cancel = time.after(timeoutMs - lateMs, settle);
      for (const node of nodes.slice(0, asked)) if (!replies.has(node) && !failed.has(node)) onLate?.(node);
      askUpTo(nodes.length);
    });
    askUpTo(atFirst);
  });
}
