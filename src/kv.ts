import type { Value } from './acceptor.js';
import { CommitError, PrepareError, VersionMismatch } from './errors.js';
import { type ChangeFunction, identity, type Proposer } from './proposer.js';
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

/** Versioned get and compare-and-set as change functions over the register (paper, section 2.2). */
export class KeyValue {
  readonly #options: KeyValueOptions;

  constructor(options: KeyValueOptions) {
    this.#options = options;
  }

  /** Reads by quorum, without a round. Undefined where the acceptors do not agree at the moment: {@link settle} makes them. */
  async peek(key: string): Promise<Versioned | undefined> {
    const read = await this.#options.proposer.read(key);
    return read && versioned(read.value);
  }

  /** Linearizable read, by quorum or else by a round; `ver` 0 where the key does not exist. Errors leave the key as it was. */
  async get(key: string): Promise<Versioned> {
    return (await this.peek(key)) ?? this.settle(key);
  }

  /** Reads by a round with the identity, as the paper does (section 2.2). Errors leave the key as it was. */
  async settle(key: string): Promise<Versioned> {
    return versioned(await this.#unchanged(this.#options.proposer.change(key, identity)));
  }

  /** Brings the register, even an empty one, to an accept quorum of the present configuration (paper, section 2.3). */
  async rescan(key: string): Promise<void> {
    await this.#unchanged(this.#options.proposer.change(key, identity, 'once'));
  }

  /**
   * Writes `val` as version `ver` + 1 where the key is at version `ver` (0: does not exist).
   *
   * @throws VersionMismatch it is at another version: not applied
   * @throws CommitError the outcome is unknown
   * @throws any other error of {@link Proposer.change}: not applied
   */
  async cas(key: string, ver: number, val: unknown): Promise<Versioned> {
    const op = this.#options.nextOperationId();
    const accept = { sent: false };
    const change: ChangeFunction = (value) => {
      const present = decode(value);
      if (present.ver !== ver) return value;
      const next: Stored = { ver: ver + 1, val, ops: [op, ...present.ops].slice(0, OPERATION_IDS_KEPT) };
      accept.sent = true;
      return JSON.stringify(next);
    };

    let completed: Value;
    try {
      completed = await this.#options.proposer.change(key, change);
    } catch (error) {
      if (!accept.sent) throw unchanged(error);
      completed = await this.#resolve(key, change);
    }
    const present = decode(completed);
    const versionsSince = present.ver - (ver + 1);
    if (present.ops[versionsSince] === op) return { ver: ver + 1, val };
    if (accept.sent && versionsSince >= present.ops.length)
      throw new CommitError('the key moved on while the outcome of this write was open');
    throw new VersionMismatch(`the key is at version ${present.ver}, not ${ver}`, { key, ver: present.ver, val: present.val });
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

  /** For rounds that keep the value: one that failed, at whatever point, changed nothing. */
  async #unchanged<Result>(round: Promise<Result>): Promise<Result> {
    try {
      return await round;
    } catch (error) {
      throw unchanged(error);
    }
  }
}

function unchanged(error: unknown): unknown {
  return error instanceof CommitError ? new PrepareError(error.message) : error;
}

/** Without the operation ids, which are ours. */
function versioned(value: Value): Versioned {
  const { ver, val } = decode(value);
  return { ver, val };
}

function decode(value: Value): Stored {
  return value === null ? ABSENT : (JSON.parse(value) as Stored);
}
