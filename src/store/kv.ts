import type { Value } from '../protocol/acceptor.js';
import { CommitError } from '../protocol/errors.js';
import type { Proposer } from '../protocol/proposer.js';
import { sleep, type Time } from '../protocol/time.js';
import type { QuorumReader } from '../reads/quorum-read.js';
import { Batch } from './batch.js';
import type { Attempt, Outcome } from './records.js';
import { fullIfSo, isForWantOfRoom } from './storage-full.js';
import { decode, type Versioned, versioned } from './versioned.js';
import { deletes, type Write } from './write.js';

/** How many times longer than the first the pauses of a resolution become. Longer ones let too many versions pass. */
const PAUSE_GROWTH_MAX = 4;

export interface KeyValueOptions {
  readonly proposer: Proposer;
  readonly reader: QuorumReader;
  /** A fresh id for each compare-and-set, unique in the cluster for all time. */
  readonly nextOperationId: () => string;
  readonly time: Time;
  /** From 0 to 1, for the jitter of the pauses. */
  readonly random: () => number;
  /** How long to find out what became of an accept that failed, in milliseconds. */
  readonly resolveMs: number;
  /** The longest pause before the second attempt to find out, in milliseconds; doubled for each of the next ones, to four times that. */
  readonly resolvePauseMs: number;
  /** Called when the resolution of an accept that failed is over. */
  readonly onResolved?: ((isFound: boolean) => void) | undefined;
}

/** A read; or a rescan, which brings the register, even an empty one, to an accept quorum of the present configuration (paper, section 2.3). */
export type Operation = 'read' | 'rescan' | Write;

/** Versioned reads and writes as change functions over the register (paper, section 2.2). One attempt each, and its resolution. */
export class KeyValue {
  readonly #options: KeyValueOptions;

  constructor(options: KeyValueOptions) {
    this.#options = options;
  }

  /** Reads by quorum, without a round. Undefined if the acceptors do not agree at the moment: {@link readByRound} makes them agree. */
  async readByQuorum(key: string): Promise<Versioned | undefined> {
    const read = await this.#options.reader.read(key);
    return read && versioned(decode(read.value));
  }

  /** Reads by a round that keeps the value, as the paper does (section 2.2). Errors leave the key as it was. */
  readByRound(key: string): Promise<Versioned> {
    return this.#runOne(key, 'read');
  }

  /**
   * @throws VersionMismatch it is at another version than the one that is expected: not applied
   * @throws CommitError the outcome is unknown
   * @throws NotApplied not applied
   */
  write(key: string, write: Write): Promise<Versioned> {
    return this.#runOne(key, write);
  }

  /**
   * Carries all operations that wait for one key through one round, in their order: of several writes that expect the same version the first
   * one is applied, and the round shows the others that they missed. Never rejects.
   *
   * @param isContended others write this key, too: look by quorum first, without a ballot that would stand in their way, whether all missed;
   *   and after an accept that failed, let them through and look before the next round
   * @returns for each what became of it, as the operation alone would have returned or thrown it
   */
  async runBatch(key: string, operations: readonly Operation[], isContended = false): Promise<Outcome[]> {
    const isRescan = operations.includes('rescan');
    const batch = new Batch(
      key,
      operations.map((operation) => this.#attempt(operation)),
    );
    const mayWait = isContended && !isRescan;
    try {
      const seen = this.#mayMiss(key, batch, mayWait) && (await this.#look(key, batch).catch(() => undefined));
      if (seen) return batch.outcomesOf(seen.value);
      // A rescan takes every key once: it would drive out the promises of all keys that are in use.
      const options = { ...(isRescan && { usePromise: false, keepPromise: false }), frees: batch.takesNoRoom };
      return batch.outcomesOf((await this.#options.proposer.change(key, batch.change, options)).before);
    } catch (error) {
      if (error instanceof CommitError) batch.noteSent(error.change);
      if (!batch.isAnySent) return this.#notSent(key, operations, batch.outcomesAfter(this.#fullIfSo(error)), asError(error), isContended);
    }
    return this.#resolve(key, batch, isRescan, mayWait);
  }

  #fullIfSo(error: unknown): Error {
    return fullIfSo(asError(error), this.#options.proposer.configuration);
  }

  /**
   * What became of a batch of which nothing was sent. Where an acceptor was full, what takes no room gets a round of its own: a full acceptor runs that,
   * and refused it with the others.
   */
  async #notSent(
    key: string,
    operations: readonly Operation[],
    outcomes: readonly Outcome[],
    failure: Error,
    isContended: boolean,
  ): Promise<Outcome[]> {
    const freeing = operations.filter(takesNoRoom);
    if (freeing.length === 0 || freeing.length === operations.length || !isForWantOfRoom(failure)) return [...outcomes];
    const own = (await this.runBatch(key, freeing, isContended)).values();
    return operations.map((operation, at) => (takesNoRoom(operation) ? own.next().value : outcomes[at]) ?? failure);
  }

  #attempt(operation: Operation): Attempt | undefined {
    return typeof operation === 'string' ? undefined : { ...operation, op: this.#options.nextOperationId() };
  }

  /** Whether none of them changes what this proposer wrote last; if it does not know that, whether others write the key. */
  #mayMiss(key: string, batch: Batch, isContended: boolean): boolean {
    const cached = this.#options.proposer.cachedValue(key);
    if (cached === undefined) return isContended && batch.canAllMiss;
    return batch.leaves(cached) && (isContended || batch.hasOnlyWrites);
  }

  /** What the register holds, by quorum, if that decides the whole batch. */
  async #look(key: string, batch: Batch): Promise<{ readonly value: Value } | undefined> {
    const read = await this.#options.reader.read(key);
    return read && batch.isDecidedBy(read.value) ? read : undefined;
  }

  async #runOne(key: string, operation: Operation): Promise<Versioned> {
    const [outcome = new TypeError('an operation has an outcome')] = await this.runBatch(key, [operation]);
    if (outcome instanceof Error) throw outcome;
    return outcome;
  }

  async #resolve(key: string, batch: Batch, isRescan: boolean, mayWait: boolean): Promise<Outcome[]> {
    try {
      const found = await this.#findOut(key, batch, !isRescan, mayWait);
      this.#options.onResolved?.(true);
      return batch.outcomesOf(found);
    } catch (failure) {
      this.#options.onResolved?.(false);
      return batch.outcomesAfter(asError(failure));
    }
  }

  /**
   * Finds out what became of an accept that failed, by completing full rounds above it: what such a round completes with is chosen, and
   * what it did not find never will be. The change is safe to repeat: what was applied is found by its operation id, and not applied again.
   *
   * @param mayLook whether a quorum read may show, without a round, that others have written since
   * @param isContended lets the others through, and looks, before the first round
   * @returns the value that a round was given, or that a quorum read has shown
   */
  async #findOut(key: string, batch: Batch, mayLook: boolean, isContended: boolean): Promise<Value> {
    const { proposer, time, random, resolveMs, resolvePauseMs } = this.#options;
    const giveUpAtMs = time.nowMs() + resolveMs;
    if (isContended) await sleep(time, random() * resolvePauseMs);
    let isInTheWay = isContended;
    for (let pauseMs = resolvePauseMs; ; pauseMs = Math.min(2 * pauseMs, PAUSE_GROWTH_MAX * resolvePauseMs)) {
      try {
        const seen = isInTheWay && mayLook ? await this.#look(key, batch) : undefined;
        return seen ? seen.value : (await proposer.change(key, batch.change, { usePromise: false, frees: batch.takesNoRoom })).before;
      } catch (error) {
        if (error instanceof CommitError) batch.noteSent(error.change);
        if (time.nowMs() + pauseMs > giveUpAtMs) {
          throw new CommitError(`the outcome of this write is unknown: ${asError(error).message}`, { cause: error });
        }
      }
      isInTheWay = true;
      await sleep(time, random() * pauseMs);
    }
  }
}

function takesNoRoom(operation: Operation): boolean {
  return typeof operation === 'string' || deletes(operation);
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
