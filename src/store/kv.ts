import type { Value } from '../protocol/acceptor.js';
import {
  applied,
  type Attempt,
  type Attempts,
  decode,
  type Outcome,
  type Stored,
  verdicts,
  type Versioned,
  versioned,
  type Write,
} from './compare-and-set.js';
import { CommitError, PrepareError } from '../protocol/errors.js';
import type { ChangeFunction, Proposer } from '../protocol/proposer.js';
import { sleep, type Time } from '../protocol/time.js';

export type { Outcome, Versioned, Write };

/** How many times longer than the first the pauses of a search for an outcome become. Longer ones let too many versions pass. */
const BACKOFF_GROWTH_MAX = 4;

export interface KeyValueOptions {
  readonly proposer: Proposer;
  /** A fresh id for each compare-and-set, unique in the cluster for all time. */
  readonly nextOperationId: () => string;
  readonly time: Time;
  /** From 0 to 1, for the jitter of the back-off. */
  readonly random: () => number;
  /** How long to find out what became of an accept that failed, in milliseconds. */
  readonly resolveMs: number;
  /** The longest pause before the second attempt to find out, in milliseconds; doubled for each of the next ones, to four times that. */
  readonly backoffMs: number;
  /** For whoever counts: a search for what became of an accept that failed is over. */
  readonly onSearched?: (isFound: boolean) => void;
}

/** A read; or a rescan, which brings the register, even an empty one, to an accept quorum of the present configuration (paper, section 2.3). */
export type Operation = 'read' | 'rescan' | Write;

/** Versioned get and compare-and-set as change functions over the register (paper, section 2.2). */
export class KeyValue {
  readonly #options: KeyValueOptions;

  constructor(options: KeyValueOptions) {
    this.#options = options;
  }

  /** Reads by quorum, without a round. Undefined where the acceptors do not agree at the moment: {@link settle} makes them. */
  async peek(key: string): Promise<Versioned | undefined> {
    const read = await this.#options.proposer.read(key);
    return read && versioned(decode(read.value));
  }

  /** Linearizable read, by quorum or else by a round; `ver` 0 where the key does not exist. Errors leave the key as it was. */
  async get(key: string): Promise<Versioned> {
    return (await this.peek(key)) ?? this.settle(key);
  }

  /** Reads by a round with the identity, as the paper does (section 2.2). Errors leave the key as it was. */
  settle(key: string): Promise<Versioned> {
    return this.#alone(key, 'read');
  }

  /** See {@link Operation}. Errors leave the key as it was. */
  async rescan(key: string): Promise<void> {
    await this.#alone(key, 'rescan');
  }

  /**
   * @throws VersionMismatch it is at another version: not applied
   * @throws CommitError the outcome is unknown
   * @throws any other error of {@link Proposer.change}: not applied
   */
  cas(key: string, ver: number, val: unknown): Promise<Versioned> {
    return this.#alone(key, { ver, val });
  }

  /**
   * Carries all operations that wait for one key through one round, in their order: of several writes that expect the same version the first
   * one is applied, and the round shows the others that they missed. Never rejects.
   *
   * @param isContended others write this key, too: look by quorum first, without a ballot that would stand in their way, whether all missed;
   *   and after an accept that failed, let them through and look before the next round
   * @returns for each what became of it, as the operations alone would have returned or thrown it
   */
  async together(key: string, operations: readonly Operation[], isContended = false): Promise<Outcome[]> {
    const attempts = operations.map((operation): Attempt | undefined =>
      typeof operation === 'string' ? undefined : { ...operation, op: this.#options.nextOperationId(), isSent: false },
    );
    const change: ChangeFunction = (value) => {
      const before = decode(value);
      const after = attempts.reduce((present, attempt) => (attempt?.ver === present.ver ? applied(attempt, present) : present), before);
      return after === before ? value : JSON.stringify(after);
    };
    const isRescan = operations.includes('rescan');
    const mayWait = isContended && !isRescan;
    if (this.#mayMiss(key, attempts, mayWait)) {
      const present = await this.#look(key, attempts).catch(() => undefined);
      if (present) return verdicts(key, attempts, present);
    }
    let completed: Value;
    try {
      completed = await this.#options.proposer.change(key, change, isRescan ? 'once' : 'short');
    } catch (error) {
      if (!attempts.some((attempt) => attempt?.isSent)) return operations.map(() => unchanged(error));
      try {
        completed = await this.#resolve(key, change, isRescan ? undefined : attempts, mayWait);
        this.#options.onSearched?.(true);
      } catch (failure) {
        this.#options.onSearched?.(false);
        return attempts.map((attempt) => (attempt?.isSent ? asError(failure) : unchanged(failure)));
      }
    }
    return verdicts(key, attempts, decode(completed));
  }

  /** Whether none of them expects the version that this proposer wrote last; where it does not know that one, whether others write. */
  #mayMiss(key: string, attempts: Attempts, isContended: boolean): boolean {
    const guess = this.#options.proposer.guess(key);
    if (guess === undefined) return isContended;
    const { ver } = decode(guess);
    return attempts.every((attempt) => (attempt ? attempt.ver !== ver : isContended));
  }

  /**
   * What the key holds, by quorum, where that decides all of these attempts: none would be applied to it, and one that was sent is of a version
   * before it. Such a value is of a later ballot than the accept that failed, or is what it wrote: a round below would have met it.
   */
  async #look(key: string, attempts: Attempts): Promise<Stored | undefined> {
    const read = await this.#options.proposer.read(key);
    if (!read) return undefined;
    const present = decode(read.value);
    const isDecided = (attempt: Attempt): boolean => (attempt.isSent ? attempt.ver < present.ver : attempt.ver !== present.ver);
    return attempts.every((attempt) => !attempt || isDecided(attempt)) ? present : undefined;
  }

  async #alone(key: string, operation: Operation): Promise<Versioned> {
    const [outcome = new TypeError('an operation has an outcome')] = await this.together(key, [operation]);
    if (outcome instanceof Error) throw outcome;
    return outcome;
  }

  /**
   * Finds out what became of an accept that failed, by completing full rounds above it: what such a round completes with is chosen, and
   * what it did not find never will be. The change is safe to repeat: it applies to one version only, and under one operation id.
   *
   * @param attempts where a look may show, without a round, that others have written since
   * @param isContended to let them through, and look, before the first round
   */
  async #resolve(key: string, change: ChangeFunction, attempts: Attempts | undefined, isContended: boolean): Promise<Value> {
    const { proposer, time, random, resolveMs, backoffMs } = this.#options;
    const giveUpAtMs = time.nowMs() + resolveMs;
    if (isContended) await sleep(time, random() * backoffMs);
    let isInTheWay = isContended;
    for (let pauseMs = backoffMs; ; pauseMs = Math.min(2 * pauseMs, BACKOFF_GROWTH_MAX * backoffMs)) {
      try {
        const present = isInTheWay && attempts && (await this.#look(key, attempts));
        return present ? JSON.stringify(present) : await proposer.change(key, change, 'full');
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        if (time.nowMs() + pauseMs > giveUpAtMs) throw new CommitError(`the outcome of this write is unknown: ${reason}`);
      }
      isInTheWay = true;
      await sleep(time, random() * pauseMs);
    }
  }
}

/** For what was never sent: a round that failed, at whatever point, did not change it. */
function unchanged(error: unknown): Error {
  return error instanceof CommitError ? new PrepareError(error.message) : asError(error);
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
