import type { Value } from './acceptor.js';
import { type Ballot, compareBallots } from './ballot.js';

/** A ballot that a prepare quorum promised, and the value that the register holds below it: the right to propose under that ballot. */
export interface Promised {
  readonly ballot: Ballot;
  readonly value: Value;
  /** The highest floor that the acceptors told, for as long as the register stays empty. */
  readonly floor?: number | undefined;
}

/** Keeps promises by key. A `Map` keeps all of them; a cache that forgets the oldest is as right, since a key without a promise prepares. */
export interface PromiseCache {
  get(key: string): Promised | undefined;
  set(key: string, promised: Promised): unknown;
  delete(key: string): unknown;
  clear(): void;
}

/** Promises that came along with the last accept of a key (paper, section 2.2.1), each good for one round without a prepare. */
export class PiggybackedPromises {
  readonly #cache: PromiseCache;

  constructor(cache: PromiseCache) {
    this.#cache = cache;
  }

  keep(key: string, promised: Promised): void {
    this.#cache.set(key, promised);
  }

  /** What the register holds, if no other proposer came between since. */
  value(key: string): Value | undefined {
    return this.#cache.get(key)?.value;
  }

  /**
   * Hands a promise out once: it is gone from here before its accept is sent, so no ballot is ever used for two values, whatever becomes of
   * that accept. If a failed accept left the promise here, the next round would send another value under the same ballot: acceptor 1 could
   * hold 5.1 with "a" and acceptor 2 hold 5.1 with "b", and each of them would count as a vote for the other's value.
   */
  take(key: string): Promised | undefined {
    const promised = this.#cache.get(key);
    this.#cache.delete(key);
    return promised;
  }

  /** Drops a promise that an acceptor has given away since: an accept under it would be refused. */
  dropBelow(key: string, ballot: Ballot): void {
    const promised = this.#cache.get(key);
    if (promised && compareBallots(ballot, promised.ballot) > 0) this.#cache.delete(key);
  }

  clear(): void {
    this.#cache.clear();
  }
}
