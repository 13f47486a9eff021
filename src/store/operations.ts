import type { KeyValue, Versioned } from './kv.js';
import { systemTime } from './system-time.js';
import { KeyQueue } from './key-queue.js';
import { RETRY_DEADLINE_MS } from '../../proposer/limits.js';
import { repeatWithPauses } from './retry.js';

export interface OperationOptions {
  /** False: a round of the protocol as it is, without queue, retry or reading by quorum; what collides is refused at once. */
  readonly wait: boolean;
}

/** The operations of clients: what `KeyValue` attempts once, in turn for each key and with patience. */
export class Operations {
  readonly #kv: KeyValue;
  readonly #queue: KeyQueue;

  /** @param onRetry is called whenever a round is about to be repeated */
  constructor(kv: KeyValue, onRetry: () => void) {
    this.#kv = kv;
    const nowMs = (): number => systemTime.nowMs();
    this.#queue = new KeyQueue({ kv, patienceMs: RETRY_DEADLINE_MS, nowMs, repeat: repeatWithPauses, onRetry });
  }

  async get(key: string, { wait }: OperationOptions): Promise<Versioned> {
    if (!wait) return this.#kv.settle(key);
    // Reading by quorum needs no turn: it sends no ballots.
    return (await this.#kv.peek(key)) ?? this.#queue.run(key, 'read');
  }

  cas(key: string, ver: number, val: unknown, { wait }: OperationOptions): Promise<Versioned> {
    return wait ? this.#queue.run(key, { ver, val }) : this.#kv.cas(key, ver, val);
  }

  async rescan(key: string): Promise<void> {
    await this.#queue.run(key, 'rescan');
  }
}
