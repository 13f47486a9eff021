import type { Time } from '../../../src/protocol/time.js';
import type { NodeState } from './snapshot.js';

/** An answer that takes longer marks a node as slow: hundreds of times what a healthy one needs. */
const SLOW_MS = 250;
/** A node that has not answered for so long counts as gone. */
const GONE_MS = 1_500;

/** Asks one node again and again, never twice at the same time: a node that hangs holds up neither the others nor the page. */
export class NodeProbe<Answer> {
  readonly #ask: () => Promise<Answer>;
  readonly #time: Time;
  #askedAtMs: number | undefined;
  #tookMs = 0;
  #hasFailed = false;
  /** The last one, also of a node that is gone by now. */
  answer: Answer | undefined;

  /** @param ask rejects if the node does not answer */
  constructor(ask: () => Promise<Answer>, time: Time) {
    this.#ask = ask;
    this.#time = time;
  }

  get state(): Exclude<NodeState, 'stranger' | 'unfit' | 'held'> {
    const waitedMs = this.#askedAtMs === undefined ? 0 : this.#time.nowMs() - this.#askedAtMs;
    if (waitedMs > GONE_MS || this.#hasFailed) return 'gone';
    return Math.max(waitedMs, this.#tookMs) > SLOW_MS ? 'slow' : 'healthy';
  }

  /** Resolves when the node has answered, or failed; at once if an earlier question is still open. Never rejects. */
  async poll(): Promise<void> {
    if (this.#askedAtMs !== undefined) return;
    this.#askedAtMs = this.#time.nowMs();
    try {
      this.answer = await this.#ask();
      this.#hasFailed = false;
    } catch {
      this.#hasFailed = true;
    } finally {
      this.#tookMs = this.#time.nowMs() - this.#askedAtMs;
      this.#askedAtMs = undefined;
    }
  }
}
