import { LRUCache } from 'lru-cache';
import { ConcurrentRequestError, PrepareError, VersionMismatch } from '../protocol/errors.js';
import type { KeyValue, Operation, Outcome, Versioned } from './kv.js';
import { CONTENDED_KEYS_MAX, OPERATIONS_WAITING_MAX } from '../../proposer/limits.js';
import { isPassing } from './retry.js';

interface Waiting {
  readonly operation: Operation;
  readonly deadlineMs: number;
  readonly resolve: (held: Versioned) => void;
  readonly reject: (error: Error) => void;
  /** Why its last attempt failed. */
  error?: Error;
}

export interface KeyQueueOptions {
  readonly kv: Pick<KeyValue, 'together'>;
  /** How long an operation may wait and be repeated. */
  readonly patienceMs: number;
  readonly nowMs: () => number;
  /** Repeats an attempt until it resolves. */
  readonly repeat: (attempt: () => Promise<void>) => Promise<void>;
  /** For whoever counts: a round is about to be repeated. */
  readonly onRetry?: () => void;
}

/** One round at a time for each key; the operations that came meanwhile share the next. What sent no accept is repeated until its deadline. */
export class KeyQueue {
  readonly #options: KeyQueueOptions;
  /** Of the keys that have a round under way. */
  readonly #waiting = new Map<string, Waiting[]>();
  /** Keys that other proposers write, too. */
  readonly #contended = new LRUCache<string, true>({ max: CONTENDED_KEYS_MAX });
  #count = 0;

  constructor(options: KeyQueueOptions) {
    this.#options = options;
  }

  /**
   * Resolves or rejects as the operation alone would.
   * @throws PrepareError where its turn did not come in time; then nothing of it was sent
   * @throws ConcurrentRequestError where too many wait already
   */
  run(key: string, operation: Operation): Promise<Versioned> {
    if (this.#count >= OPERATIONS_WAITING_MAX) {
      return Promise.reject(new ConcurrentRequestError(`this proposer has ${this.#count} requests waiting; try another one, or later`));
    }
    this.#count += 1;
    const { nowMs, patienceMs } = this.#options;
    return new Promise((resolve, reject) => {
      const one: Waiting = { operation, deadlineMs: nowMs() + patienceMs, resolve, reject };
      const waiting = this.#waiting.get(key);
      if (waiting) {
        waiting.push(one);
        return;
      }
      const first = [one];
      this.#waiting.set(key, first);
      void this.#serve(key, first);
    });
  }

  /** Never rejects. */
  async #serve(key: string, waiting: Waiting[]): Promise<void> {
    while (waiting.length > 0) await this.#options.repeat(() => this.#round(key, waiting));
    this.#waiting.delete(key);
  }

  /** @throws where some of them are to be tried again; they are at the head of the queue */
  async #round(key: string, waiting: Waiting[]): Promise<void> {
    const nowMs = this.#options.nowMs();
    const batch = waiting.splice(0).filter((one) => nowMs <= one.deadlineMs || !this.#end(one, lateError(one)));
    if (batch.length === 0) return;
    if (batch.some(({ error }) => error)) this.#options.onRetry?.();
    let outcomes: Outcome[];
    try {
      outcomes = await this.#options.kv.together(
        key,
        batch.map(({ operation }) => operation),
        this.#contended.has(key),
      );
      if (outcomes.some((outcome) => outcome instanceof VersionMismatch || outcome instanceof PrepareError)) this.#contended.set(key, true);
      else if (batch.length === 1) this.#contended.delete(key);
    } catch (error) {
      outcomes = batch.map(() => error as Error);
    }
    const again = batch.filter((one, index) => !this.#end(one, outcomes[index] ?? lateError(one)));
    waiting.unshift(...again);
    if (again[0]) throw lateError(again[0]);
  }

  /** Whether that was the end of it. */
  #end(one: Waiting, outcome: Outcome): boolean {
    if (outcome instanceof Error && isPassing(outcome) && this.#options.nowMs() < one.deadlineMs) {
      one.error = outcome;
      return false;
    }
    this.#count -= 1;
    if (outcome instanceof Error) one.reject(outcome);
    else one.resolve(outcome);
    return true;
  }
}

function lateError({ error }: Waiting): Error {
  return error ?? new PrepareError('other requests for this key were in the way');
}
