import type { Time } from '../../../src/protocol/time.js';
import { saysLoading } from '../../nodes/connections.js';
import type { NodeState } from './snapshot.js';

/** An answer that takes longer marks a node as slow: hundreds of times what a healthy one needs. */
const SLOW_MS = 250;
/** A node that has not answered for so long counts as gone. */
const GONE_MS = 1_500;

/** Whether a node in this state answers nothing. */
export function isSilent(state: NodeState): boolean {
  return state === 'gone' || state === 'hangs';
}

/** Asks one node again and again, never twice at the same time: a node that hangs holds up neither the others nor the page. */
export class NodeProbe<Answer> {
  readonly #ask: () => Promise<Answer>;
  readonly #time: Time;
  #askedAtMs: number | undefined;
  #tookMs = 0;
  #hasFailed = false;
  /** Whether it said so that it still reads its file. */
  #isLoading = false;
  /** Whether somebody took a connection when no answer came. */
  #listens = false;
  readonly #isListening: () => Promise<boolean>;
  /** The last one, also of a node that is gone by now. */
  answer: Answer | undefined;

  /**
   * @param ask rejects if the node does not answer
   * @param isListening whether anybody takes a connection at its address
   */
  constructor(ask: () => Promise<Answer>, time: Time, isListening: () => Promise<boolean>) {
    this.#ask = ask;
    this.#time = time;
    this.#isListening = isListening;
  }

  get state(): Exclude<NodeState, 'stranger' | 'unfit' | 'held'> {
    const tookMs = Math.max(this.#waitedMs, this.#tookMs);
    if (this.#waitedMs > GONE_MS || this.#hasFailed) {
      if (this.#isLoading) return 'loading';
      // One that refuses at once does not hang.
      return this.#listens && tookMs > GONE_MS ? 'hangs' : 'gone';
    }
    return tookMs > SLOW_MS ? 'slow' : 'healthy';
  }

  get #waitedMs(): number {
    return this.#askedAtMs === undefined ? 0 : this.#time.nowMs() - this.#askedAtMs;
  }

  /** Resolves when the node has answered, or failed; if an earlier question is still open, when it is known whether anybody listens. Never rejects. */
  async poll(): Promise<void> {
    if (this.#askedAtMs !== undefined) {
      this.#listens = await this.#isListening();
      return;
    }
    this.#askedAtMs = this.#time.nowMs();
    try {
      this.answer = await this.#ask();
      this.#hasFailed = this.#isLoading = false;
    } catch (error) {
      this.#hasFailed = true;
      this.#isLoading = saysLoading(error);
    } finally {
      this.#tookMs = this.#time.nowMs() - this.#askedAtMs;
      this.#askedAtMs = undefined;
    }
  }
}
