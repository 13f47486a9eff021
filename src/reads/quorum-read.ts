import type { Accepted, Acceptor, RegisterState, Value } from '../protocol/acceptor.js';
import type { Asking } from '../protocol/ask.js';
import { compareBallots, ZERO_BALLOT } from '../protocol/ballot.js';
import type { Configuration } from '../protocol/configuration.js';
import type { ProposerEvents } from '../protocol/events.js';
import type { Proposer } from '../protocol/proposer.js';
import { containsQuorum, type Replies } from '../protocol/quorum.js';
import type { Time } from '../protocol/time.js';

export interface QuorumReaderOptions {
  readonly proposer: Proposer;
  /** See `ProposerOptions`. */
  readonly acceptor: (name: string, identity: string | undefined) => Acceptor;
  readonly time: Time;
  /** The longest wait for the acceptors, in milliseconds. */
  readonly timeoutMs: number;
  /** How the acceptors are asked: all of them at once, or those first that the proof needs. */
  readonly asking: Asking;
  readonly events?: Pick<ProposerEvents, 'onPhase'> | undefined;
}

/** Reads without a round. It is not in the paper; docs/protocol.md argues why it is linearizable. */
export class QuorumReader {
  readonly #options: QuorumReaderOptions;

  constructor(options: QuorumReaderOptions) {
    this.#options = options;
  }

  /**
   * Asks the acceptors what they hold. If the same accepted ballot is on a prepare quorum and on an accept quorum, its value is chosen and
   * nothing above it is. Changes nothing on the acceptors, and needs no turn.
   *
   * @returns undefined if that proof is not to be had at the moment
   * @throws NotConfigured
   */
  read(key: string): Promise<{ readonly value: Value } | undefined> {
    const { proposer, acceptor, asking, time, timeoutMs, events } = this.#options;
    return proposer.withConfiguration(async (configuration) => {
      events?.onPhase?.('read');
      let proven: Accepted | undefined;
      const isDecided = (replies: Replies<RegisterState>, outstanding: number, late: number): boolean => {
        proven = provenBy(replies, configuration);
        // Where the replies differ and are more than the late ones, a round settles the key sooner than these.
        return proven !== undefined || (outstanding === late && late < replies.size);
      };
      const send = (node: string): Promise<RegisterState> => acceptor(node, configuration.identities?.[node]).read(key);
      const { prepare, accept } = configuration;
      const replies = await asking([prepare, accept], send, isDecided, { time, timeoutMs });
      // A client that reads a key often writes it next: a ballot above what other proposers were promised is not refused then.
      for (const { promise } of replies.values()) proposer.learnPromise(key, promise);
      return proven && { value: proven.value };
    });
  }
}

/**
 * The accepted value that these replies prove to be the register's, if they do: the same ballot, of this era or the next, on a prepare quorum
 * and on an accept quorum. Then that value is chosen, and no later one was when the first of them was asked.
 *
 * For example with three acceptors and quorums of two: 1 and 2 both hold 7.3 with "b". If a later value had been chosen before
 * they were asked, an accept quorum would hold it, and so 1 or 2: one of them would show a later ballot. If 1 holds 7.3 and 2 holds 7.1, nothing is
 * proven: the accept of 7.3 may still be under way.
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
