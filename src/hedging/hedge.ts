import { type Asking, ask } from '../protocol/ask.js';
import type { QuorumSet } from '../protocol/quorum.js';
import type { Time } from '../protocol/time.js';
import { AskingOrder } from './asking-order.js';
import { hedgedAsk } from './hedged-ask.js';

/**
 * As `ask`, but asks a quorum of each set first, and the others if one of these fails or is late. What it learns of late ones it keeps as long
 * as it is asked for the same sets: each phase has a hedge of its own.
 *
 * @param lateMs in milliseconds; where nobody is waited for so long, all are asked at once
 */
export function hedge({ time, lateMs }: { readonly time: Time; readonly lateMs: number }): Asking {
  let order = new AskingOrder([], time);
  let orderedSets: readonly QuorumSet[] = [];
  return async (sets, send, isDecided, options) => {
    if (lateMs >= options.timeoutMs) return ask(sets, send, isDecided, options);
    if (sets.length !== orderedSets.length || sets.some((set, index) => set !== orderedSets[index])) {
      order = new AskingOrder(sets, time);
      orderedSets = sets;
    }
    const present = order;
    const { nodes, atFirst } = present.next();
    const late = new Set<string>();
    const replies = await hedgedAsk(nodes, send, isDecided, {
      ...options,
      atFirst,
      lateMs,
      onLate: (node) => {
        late.add(node);
        present.markLate(node);
      },
      onFailure: (node, reason) => {
        present.markLate(node);
        options.onFailure?.(node, reason);
      },
    });
    // An answer that came late is no reason to count on the acceptor again.
    present.markInTime([...replies.keys()].filter((node) => !late.has(node)));
    return replies;
  };
}
