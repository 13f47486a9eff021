import { TimedOut } from './errors.js';
import { nodesOf, type QuorumSet, type Replies } from './quorum.js';
import type { Time } from './time.js';

export interface AskOptions {
  readonly time: Time;
  /** Ends the wait, in milliseconds; the nodes that did not answer by then count as failed. */
  readonly timeoutMs: number;
  /** Called with the reason why a node did not answer, before the outcome is certain. */
  readonly onFailure?: (node: string, reason: unknown) => void;
}

/** A way to ask the nodes of some quorum sets: `ask` asks all of them, and the one of `src/hedging` a quorum first. */
export type Asking = typeof ask;

/**
 * Asks all nodes of the sets at once, and stops waiting as soon as the outcome is certain; what arrives later is ignored.
 *
 * @param send throws, rejects, or never settles, if the node does not answer
 * @param isDecided is called after each answer and each failure, with the replies so far, the number of nodes that may still answer, and how
 *   many of these are late, of which `ask` itself knows nothing
 * @returns the replies that led to the decision
 */
export function ask<Reply>(
  sets: readonly QuorumSet[],
  send: (node: string) => Promise<Reply>,
  isDecided: (replies: Replies<Reply>, outstanding: number, late: number) => boolean,
  { time, timeoutMs, onFailure }: AskOptions,
): Promise<Replies<Reply>> {
  return new Promise((resolve) => {
    const nodes = nodesOf(sets);
    const replies = new Map<string, Reply>();
    const outstanding = new Set(nodes);
    let isOver = false;
    const end = (): void => {
      isOver = true;
      cancelTimeout();
      resolve(replies);
    };
    const cancelTimeout = time.after(timeoutMs, () => {
      for (const node of outstanding) onFailure?.(node, noAnswerIn(timeoutMs));
      end();
    });
    const hear = (node: string, note: () => void): void => {
      if (isOver) return;
      note();
      outstanding.delete(node);
      if (isDecided(replies, outstanding.size, 0) || outstanding.size === 0) end();
    };
    for (const node of nodes)
      sendSafely(send, node).then(
        (reply) => hear(node, () => replies.set(node, reply)),
        (reason: unknown) => hear(node, () => onFailure?.(node, reason)),
      );
  });
}

export const noAnswerIn = (waitedMs: number): TimedOut => new TimedOut(`slow or stopped, no answer in ${waitedMs} ms`);

/** A node that cannot even be asked, because its address is unusable say, is one that failed: the others are asked all the same. */
export const sendSafely = <Reply>(send: (node: string) => Promise<Reply>, node: string): Promise<Reply> =>
  new Promise((resolve) => resolve(send(node)));
