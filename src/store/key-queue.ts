import { LRUCache } from 'lru-cache';
import { ConcurrentRequestError, PrepareError, StaleConfiguration } from '../protocol/errors.js';
import { sleep, type Time } from '../protocol/time.js';
import type { Outcome } from './records.js';
import { VersionMismatch } from './errors.js';
import type { KeyValue, Operation } from './kv.js';
import type { StoreLimits } from './limits.js';
import type { Versioned } from './versioned.js';

interface Waiting {
  readonly operation: Operation;
  readonly deadlineMs: number;
  readonly resolve: (held: Versioned) => void;
  readonly reject: (error: unknown) => void;
  /** Why its last attempt failed. */
  error?: Error;
  /** Lets go of its signal, which may be that of many operations, one after the other. */
  letGo?: () => void;
}

export interface KeyQueueOptions {
  readonly kv: Pick<KeyValue, 'runBatch'>;
  readonly time: Time;
  /** From 0 to 1, for the jitter of the pauses. */
  readonly random: () => number;
  readonly limits: Pick<StoreLimits, 'patienceMs' | 'retryPauseMs' | 'retryPauseMaxMs' | 'operationsWaitingMax' | 'contendedKeysMax'>;
  /** Called when a round is about to be repeated. */
  readonly onRetry?: (() => void) | undefined;
}

/** Errors of an attempt that sent nothing that could be chosen, and whose cause passes: another proposer, a connection, a configuration step. */
const PASSING = [PrepareError, ConcurrentRequestError, StaleConfiguration];

/** One round at a time for each key; the operations that came meanwhile share the next. What sent no accept is repeated until its deadline. */
export class KeyQueue {
  readonly #options: KeyQueueOptions;
  /** Of the keys that have a round under way. */
  readonly #waiting = new Map<string, Waiting[]>();
  /** Keys that other proposers write, too. It takes no room before there are any: the simulation makes thousands of proposers. */
  readonly #contended: LRUCache<string, true>;
  #count = 0;

  constructor(options: KeyQueueOptions) {
    this.#options = options;
    this.#contended = new LRUCache({ maxSize: Math.max(1, options.limits.contendedKeysMax), sizeCalculation: () => 1 });
  }

  /**
   * Resolves or rejects as the operation alone would.
   * @param signal ends the wait for a turn; the operation is then certainly not applied, and this rejects with the signal's reason. Once its
   *   round runs, the signal is not looked at: what became of the operation is known soon.
   * @throws PrepareError if its turn did not come in time; then nothing of it was sent
   * @throws ConcurrentRequestError if too many wait already
   */
  run(key: string, operation: Operation, signal?: AbortSignal): Promise<Versioned> {
    const { time, limits } = this.#options;
    if (signal?.aborted) return new Promise(() => signal.throwIfAborted());
    if (this.#count >= limits.operationsWaitingMax) {
      return Promise.reject(new ConcurrentRequestError(`this proposer has ${this.#count} requests waiting; try another one, or later`));
    }
    this.#count += 1;
    return new Promise((resolve, reject) => {
      const one: Waiting = { operation, deadlineMs: time.nowMs() + limits.patienceMs, resolve, reject };
      const waiting = this.#waiting.get(key) ?? [];
      waiting.push(one);
      if (signal) this.#heed(signal, waiting, one);
      if (this.#waiting.has(key)) return;
      this.#waiting.set(key, waiting);
      void this.#serve(key, waiting);
    });
  }

  #heed(signal: AbortSignal, waiting: Waiting[], one: Waiting): void {
    const leave = (): void => {
      const at = waiting.indexOf(one);
      if (at < 0) return;
      waiting.splice(at, 1);
      this.#count -= 1;
      one.reject(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    one.letGo = () => signal.removeEventListener('abort', leave);
  }

  /**
   * Never rejects. The pauses before a repetition are drawn from zero to a limit that doubles: two proposers that met once do not meet again
   * in step.
   */
  async #serve(key: string, waiting: Waiting[]): Promise<void> {
    const { time, random, limits } = this.#options;
    for (let failures = 0; waiting.length > 0;) {
      const isDone = await this.#round(key, waiting);
      failures = isDone ? 0 : failures + 1;
      if (!isDone) await sleep(time, random() * Math.min(limits.retryPauseMaxMs, limits.retryPauseMs * 2 ** (failures - 1)));
    }
    this.#waiting.delete(key);
  }

  /** False if some of them are to be tried again; they are at the head of the queue. */
  async #round(key: string, waiting: Waiting[]): Promise<boolean> {
    const nowMs = this.#options.time.nowMs();
    const batch = waiting.splice(0).filter((one) => nowMs <= one.deadlineMs || !this.#end(one, lateError(one)));
    if (batch.length === 0) return true;
    if (batch.some(({ error }) => error)) this.#options.onRetry?.();
    const operations = batch.map(({ operation }) => operation);
    const outcomes = await this.#options.kv.runBatch(key, operations, this.#contended.has(key)).catch((error: unknown) => {
      // A batch never rejects; if it does, that is a fault of ours, and its operations end with it.
      return batch.map(() => (error instanceof Error ? error : new Error(String(error))));
    });
    if (outcomes.some((outcome) => outcome instanceof VersionMismatch || outcome instanceof PrepareError)) this.#markContended(key);
    else if (batch.length === 1) this.#contended.delete(key);
    const again = batch.filter((one, index) => !this.#end(one, outcomes[index] ?? lateError(one)));
    waiting.unshift(...again);
    return again.length === 0;
  }

  #markContended(key: string): void {
    if (this.#options.limits.contendedKeysMax > 0) this.#contended.set(key, true);
  }

  /** Whether that was the end of it. */
  #end(one: Waiting, outcome: Outcome): boolean {
    if (outcome instanceof Error && isPassing(outcome) && this.#options.time.nowMs() < one.deadlineMs) {
      one.error = outcome;
      return false;
    }
    this.#count -= 1;
    one.letGo?.();
    if (outcome instanceof Error) one.reject(outcome);
    else one.resolve(outcome);
    return true;
  }
}

function isPassing(error: Error): boolean {
  return PASSING.some((kind) => error instanceof kind);
}

function lateError({ error }: Waiting): Error {
  return error ?? new PrepareError('other requests for this key were in the way');
}
