import type { KeyValue, Versioned } from '../src/store/kv.js';
import type { Counts } from './counts.js';
import { type OperationOptions, Operations } from '../src/store/operations.js';

/** The operations, each counted with its outcome and its duration. */
export class CountedOperations extends Operations {
  readonly #counts: Counts;

  constructor(kv: KeyValue, counts: Counts) {
    super(kv, () => (counts.retries += 1));
    this.#counts = counts;
  }

  override get(key: string, options: OperationOptions): Promise<Versioned> {
    return this.#counts.operation('read', super.get(key, options));
  }

  override cas(key: string, ver: number, val: unknown, options: OperationOptions): Promise<Versioned> {
    return this.#counts.operation('write', super.cas(key, ver, val, options));
  }

  override rescan(key: string): Promise<void> {
    return this.#counts.operation('rescan', super.rescan(key));
  }
}
