import { type AskOptions, noAnswerIn, sendSafely } from '../protocol/ask.js';
import type { Replies } from '../protocol/quorum.js';

export interface HedgedAskOptions extends AskOptions {
  /** How many nodes are asked at once. The others are asked if these do not decide, if one fails, or if one takes longer than `lateMs`. */
  readonly atFirst: number;
  /** In milliseconds, and less than the time-out. */
  readonly lateMs: number;
  /** Called with every node that has been asked and did not answer when `lateMs` have passed. */
  readonly onLate: (node: string) => void;
  readonly onFailure: NonNullable<AskOptions['onFailure']>;
}

/** As `ask`, but asks only as many nodes as it takes to decide, and the others when these turn out not to be enough. */
export function hedgedAsk<Reply>(
  nodes: readonly string[],
  send: (node: string) => Promise<Reply>,
  isDecided: (replies: Replies<Reply>, outstanding: number, late: number) => boolean,
  { time, timeoutMs, atFirst, lateMs, onFailure, onLate }: HedgedAskOptions,
): Promise<Replies<Reply>> {
  return new Promise((resolve) => {
    const replies = new Map<string, Reply>();
    const failed = new Set<string>();
    const late = new Set<string>();
    let asked = 0;
    let isOver = false;
    const end = (): void => {
      isOver = true;
      cancel();
      resolve(replies);
    };
    const isCertain = (): boolean => {
      const outstanding = nodes.length - replies.size - failed.size;
      return isDecided(replies, outstanding, late.size) || outstanding === 0;
    };
    const hear = (node: string, note: () => void): void => {
      if (isOver) return;
      note();
      late.delete(node);
      if (isCertain()) end();
      else if (failed.size > 0 || replies.size === asked) askUpTo(nodes.length);
    };
    const askUpTo = (count: number): void => {
      for (; asked < count; asked += 1) {
        const node = nodes[asked] ?? '';
        sendSafely(send, node).then(
          (reply) => hear(node, () => replies.set(node, reply)),
          (reason: unknown) =>
            hear(node, () => {
              failed.add(node);
              onFailure(node, reason);
            }),
        );
      }
    };
    const silentOf = (asking: readonly string[]): string[] => asking.filter((node) => !replies.has(node) && !failed.has(node));
    const giveUp = (): void => {
      for (const node of silentOf(nodes)) onFailure(node, noAnswerIn(timeoutMs));
      end();
    };
    const hurry = (): void => {
      cancel = time.after(timeoutMs - lateMs, giveUp);
      for (const node of silentOf(nodes.slice(0, asked))) {
        late.add(node);
        onLate(node);
      }
      askUpTo(nodes.length);
      if (isCertain()) end();
    };
    let cancel = time.after(lateMs, hurry);
    askUpTo(atFirst);
  });
}
