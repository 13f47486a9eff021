import { LRUCache } from 'lru-cache';
import type { Value } from './acceptor.js';
import { type Ballot, compareBallots } from './ballot.js';

/** What a quorum promised, and with it the right to propose under that ballot: `value` is what the register holds. */
export interface Promised {
  readonly ballot: Ballot;
  readonly value: Value;
}

/** Those used last, as many as fit: some 50,000 with short values. A key without one prepares. */
const PROMISES_MAX_CHARACTERS = 32 * 1024 * 1024;
/** What keeping one costs besides its key and its value. */
const OVERHEAD_CHARACTERS = 640;

/** Promises piggybacked on the last accept of a key (paper, section 2.2.1), each good for one round without a prepare. */
export class PiggybackedPromises {
  readonly #byKey = new LRUCache<string, Promised>({
    // Without a largest number of entries it takes no room before there are any: the simulation makes thousands of proposers.
    maxSize: PROMISES_MAX_CHARACTERS,
    sizeCalculation: ({ value }, key) => key.length + (value?.length ?? 0) + OVERHEAD_CHARACTERS,
  });

  keep(key: string, promised: Promised): void {
    this.#byKey.set(key, promised);
  }

  /** What the register holds, where nobody came between since. */
  value(key: string): Value | undefined {
    return this.#byKey.peek(key)?.value;
  }

  /** Gone with that, not after a failure: a ballot is never used for two values. */
  take(key: string): Promised | undefined {
    const promised = this.#byKey.get(key);
    this.#byKey.delete(key);
    return promised;
  }

  /** Drops a promise that an acceptor has given away since: an accept under it would be refused. */
  overtaken(key: string, by: Ballot): void {
    const promised = this.#byKey.peek(key);
    if (promised && compareBallots(by, promised.ballot) > 0) this.#byKey.delete(key);
  }

  clear(): void {
    this.#byKey.clear();
  }
}
