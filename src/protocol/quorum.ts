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
  /** In milliseconds. What takes longer is not waited for either, where all others have answered and are more. */
  readonly lateMs?: number;
  /** Called with the reason why a node did not answer, before the outcome is certain. */
  readonly onFailure?: (node: string, reason: unknown) => void;
  /** Called with every node that has been asked and did not answer when `lateMs` have passed. */
  readonly onLate?: (node: string) => void;
}

/**
 * Asks the nodes and settles as soon as the outcome is certain; what arrives later is ignored.
 *
 * @param ask throws, rejects, or never settles, where the node does not answer
 * @param isDecided called after each answer or failure, and once some are late, with the replies so far and the number of nodes still to answer
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
    const late = new Set<string>();
    let asked = 0;
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
      cancel();
      resolve(replies);
    };
    const isOver = (): boolean => {
      const outstanding = nodes.length - replies.size - failed.size;
      return isDecided(replies, outstanding) || outstanding === 0 || (outstanding === late.size && late.size < replies.size);
    };
    const heard = (node: string): void => {
      late.delete(node);
      if (isOver()) settle();
      else if (failed.size > 0 || replies.size === asked) askUpTo(nodes.length);
    };
    const fail = (node: string, reason: unknown): void => {
      if (isSettled) return;
      failed.add(node);
      onFailure?.(node, reason);
      heard(node);
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
          heard(node);
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
      const unanswered = nodes.slice(0, asked).filter((node) => !replies.has(node) && !failed.has(node));
      for (const node of unanswered) {
        late.add(node);
        onLate?.(node);
      }
      askUpTo(nodes.length);
      if (isOver()) settle();
    });
    askUpTo(atFirst);
  });
}
