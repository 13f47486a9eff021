import type { KeyValue, Versioned } from '../src/kv.js';
import { KeyQueue } from './key-queue.js';
import { RETRY_DEADLINE_MS } from './limits.js';
import { retryUntil } from './retry.js';

export interface OperationOptions {
  /** False: a round of the protocol as it is, without queue, retry or reading by quorum; what collides is refused at once. */
  readonly wait: boolean;
}

/** The operations of clients: what `KeyValue` attempts once, in turn for each key and with patience. */
export class Operations {
  readonly #kv: KeyValue;
  readonly #queue = new KeyQueue();

  constructor(kv: KeyValue) {
    this.#kv = kv;
  }

  async get(key: string, { wait }: OperationOptions): Promise<Versioned> {
    if (!wait) return this.#kv.settle(key);
    const deadlineMs = Date.now() + RETRY_DEADLINE_MS;
    // Reading by quorum needs no turn: it sends no ballots.
    return (await this.#kv.peek(key)) ?? this.#patiently(key, deadlineMs, () => this.#kv.get(key));
  }

  cas(key: string, ver: number, val: unknown, { wait }: OperationOptions): Promise<Versioned> {
    if (!wait) return this.#kv.cas(key, ver, val);
    return this.#patiently(key, Date.now() + RETRY_DEADLINE_MS, () => this.#kv.cas(key, ver, val));
  }

  rescan(key: string): Promise<void> {
    return this.#patiently(key, Date.now() + RETRY_DEADLINE_MS, () => this.#kv.rescan(key));
  }

  #patiently<Result>(key: string, deadlineMs: number, attempt: () => Promise<Result>): Promise<Result> {
    return this.#queue.run(key, deadlineMs - Date.now(), () => retryUntil(deadlineMs, attempt));
  }
}
