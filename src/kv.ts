import type { Value } from './acceptor.js';
import { CommitError, PrepareError, VersionMismatch } from './errors.js';
import type { ChangeFunction, Proposer } from './proposer.js';
import { sleep, type Time } from './time.js';

/** What a key holds. `ver` 0: the key does not exist, and `val` is null. */
export interface Versioned {
  readonly ver: number;
  /** Any JSON value. */
  readonly val: unknown;
}

/**
 * As stored: with the ids of the operations that wrote this version, the one before, and so on. Every later round keeps them, so that
 * a write whose accept failed can find itself although others wrote since.
 */
interface Stored extends Versioned {
  readonly ops: readonly string[];
}

/** How many ids are kept. A write is reported as unknown only where more than this many versions passed it by meanwhile. */
const OPERATION_IDS_KEPT = 32;

/** How many times longer than the first the pauses of a search for an outcome become. Longer ones let too many versions pass. */
const BACKOFF_GROWTH_MAX = 4;

const ABSENT: Stored = { ver: 0, val: null, ops: [] };

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
}

/** A read; or a rescan, which brings the register, even an empty one, to an accept quorum of the present configuration (paper, section 2.3). */
export type Operation = 'read' | 'rescan' | Write;

/** A compare-and-set: writes `val` as version `ver` + 1 where the key is at version `ver` (0: does not exist). */
export interface Write {
  readonly ver: number;
  /** Any JSON value. */
  readonly val: unknown;
}

/** A write under way. */
interface Attempt extends Write {
  readonly op: string;
  /** Whether an accept that carries it was sent. */
  isSent: boolean;
}

/** What became of an operation: what the key holds, or the error. */
export type Outcome = Versioned | Error;

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
   * @returns for each what became of it, as the operations alone would have returned or thrown it
   */
  async together(key: string, operations: readonly Operation[]): Promise<Outcome[]> {
    const attempts = operations.map((operation): Attempt | undefined =>
      typeof operation === 'string' ? undefined : { ...operation, op: this.#options.nextOperationId(), isSent: false },
    );
    const change: ChangeFunction = (value) => {
      const before = decode(value);
      const after = attempts.reduce((present, attempt) => (attempt?.ver === present.ver ? applied(attempt, present) : present), before);
      return after === before ? value : JSON.stringify(after);
    };
    let completed: Value;
    try {
      completed = await this.#options.proposer.change(key, change, operations.includes('rescan') ? 'once' : 'short');
    } catch (error) {
      if (!attempts.some((attempt) => attempt?.isSent)) return operations.map(() => unchanged(error));
      try {
        completed = await this.#resolve(key, change);
      } catch (failure) {
        return attempts.map((attempt) => (attempt?.isSent ? asError(failure) : unchanged(failure)));
      }
    }
    const present = decode(completed);
    return attempts.map((attempt) => (attempt ? verdict(key, attempt, present) : versioned(present)));
  }

  async #alone(key: string, operation: Operation): Promise<Versioned> {
    const [outcome = new TypeError('an operation has an outcome')] = await this.together(key, [operation]);
    if (outcome instanceof Error) throw outcome;
    return outcome;
  }

  /**
   * Finds out what became of an accept that failed, by completing full rounds above it: what such a round completes with is chosen, and
   * what it did not find never will be. The change is safe to repeat: it applies to one version only, and under one operation id.
   */
  async #resolve(key: string, change: ChangeFunction): Promise<Value> {
    const { proposer, time, random, resolveMs, backoffMs } = this.#options;
    const giveUpAtMs = time.nowMs() + resolveMs;
    for (let pauseMs = backoffMs; ; pauseMs = Math.min(2 * pauseMs, BACKOFF_GROWTH_MAX * backoffMs)) {
      try {
        return await proposer.change(key, change, 'full');
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        if (time.nowMs() + pauseMs > giveUpAtMs) throw new CommitError(`the outcome of this write is unknown: ${reason}`);
      }
      await sleep(time, random() * pauseMs);
    }
  }
}

/** What the register holds after a write; from now on an accept that carries it may be under way. */
function applied(attempt: Attempt, { ops }: Stored): Stored {
  attempt.isSent = true;
  return { ver: attempt.ver + 1, val: attempt.val, ops: [attempt.op, ...ops].slice(0, OPERATION_IDS_KEPT) };
}

/** What became of a write, by what a round has completed with since. */
function verdict(key: string, { ver, val, op, isSent }: Attempt, present: Stored): Outcome {
  const versionsSince = present.ver - (ver + 1);
  if (present.ops[versionsSince] === op) return { ver: ver + 1, val };
  if (isSent && versionsSince >= present.ops.length) return new CommitError('the key moved on while the outcome of this write was open');
  return new VersionMismatch(`the key is at version ${present.ver}, not ${ver}`, { key, ver: present.ver, val: present.val });
}

/** For what was never sent: a round that failed, at whatever point, did not change it. */
function unchanged(error: unknown): Error {
  return error instanceof CommitError ? new PrepareError(error.message) : asError(error);
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** Without the operation ids, which are ours. */
function versioned({ ver, val }: Stored): Versioned {
  return { ver, val };
}

function decode(value: Value): Stored {
  return value === null ? ABSENT : (JSON.parse(value) as Stored);
}
