import type { Value } from '../protocol/acceptor.js';
import type { Change, ChangeFunction } from '../protocol/change.js';
import { CommitError, PrepareError } from '../protocol/errors.js';
import { VersionMismatch } from './errors.js';

/** What a key holds. `ver` 0: the key does not exist, and `val` is null. */
export interface Versioned {
  readonly ver: number;
  /** Any JSON value. */
  readonly val: unknown;
}

/**
 * What a register holds, as JSON: with the ids of the operations that wrote this version, the one before, and so on. Every later round keeps
 * them, so that a write whose accept failed can find itself although others wrote since.
 */
export interface Stored extends Versioned {
  readonly ops: readonly string[];
}

/** How many ids are kept. A write is reported as unknown only if more than this many versions passed it by meanwhile. */
const OPERATION_IDS_KEPT = 32;

const ABSENT: Stored = { ver: 0, val: null, ops: [] };

/** A compare-and-set: writes `val` as version `ver` + 1 if the key is at version `ver` (0: does not exist). */
export interface Write {
  readonly ver: number;
  /** Any JSON value. */
  readonly val: unknown;
}

/** A write with its operation id, which is unique in the cluster for all time. */
export interface Attempt extends Write {
  readonly op: string;
}

/** What became of an operation: what the key holds, or the error. */
export type Outcome = Versioned | Error;

/** What a round made of a register, and which attempts it applied on the way. */
interface Replay {
  readonly before: Value;
  readonly after: Stored;
  readonly text: Value;
  readonly applied: ReadonlySet<Attempt>;
}

/** The operations that one round carries, in their order, and what is known of each of them. A read has no attempt. */
export class Batch {
  readonly #attempts: readonly (Attempt | undefined)[];
  /** Those that an accept carried which failed: it may have taken effect. */
  readonly #sent = new Set<Attempt>();
  #last: Replay | undefined;

  constructor(attempts: readonly (Attempt | undefined)[]) {
    this.#attempts = attempts;
  }

  /** The change function of the round. Of several writes that expect the same version, it applies the first one. */
  readonly change: ChangeFunction = (value) => this.#replay(value).text;

  /** Whether each operation is a read, or a write for which the question is answered with yes. */
  everyWrite(question: (attempt: Attempt) => boolean): boolean {
    return this.#attempts.every((attempt) => !attempt || question(attempt));
  }

  get hasOnlyWrites(): boolean {
    return this.#attempts.every((attempt) => attempt !== undefined);
  }

  /** Whether some of them may be under way, in an accept that failed. */
  get isAnySent(): boolean {
    return this.#sent.size > 0;
  }

  /** Takes note of a round that failed after it had sent this change. */
  noteSent(change: Change | undefined): void {
    if (change) for (const attempt of this.#replay(change.before).applied) this.#sent.add(attempt);
  }

  /**
   * Whether `present`, which a quorum read has shown, decides all of them without a round: none would be applied to it, and each that was
   * sent is of a version before it. Such a value is either what the failed accept wrote or of a later ballot: a round that had chosen an
   * earlier version would have been met by the read.
   *
   * For example, an accept of version 8 failed. If the key is at version 9 now, the proposer that wrote 9 had read a version 8, and its operation ids
   * say whose; the failed accept, of a lower ballot, can change that no more. If the key is at version 7, nothing is decided: the accept may
   * still arrive.
   */
  isDecidedBy(present: Stored): boolean {
    return this.everyWrite((attempt) => (this.#sent.has(attempt) ? attempt.ver < present.ver : attempt.ver !== present.ver));
  }

  /** What became of each, by what a quorum read has shown. */
  outcomesAt(key: string, present: Stored): Outcome[] {
    return this.#attempts.map((attempt) => (attempt ? this.#outcome(key, attempt, present) : versioned(present)));
  }

  /** What became of each, by a round that was completed. What that round itself applied is known, whatever the number. */
  outcomesOf(key: string, { before }: Change): Outcome[] {
    const { after, applied } = this.#replay(before);
    return this.#attempts.map((attempt) => {
      if (!attempt) return versioned(after);
      return applied.has(attempt) ? { ver: attempt.ver + 1, val: attempt.val } : this.#outcome(key, attempt, after);
    });
  }

  /** What became of each, if it cannot be found out: unknown if it was sent, else not applied. */
  outcomesAfter(failure: Error): Outcome[] {
    return this.#attempts.map((attempt) => (attempt && this.#sent.has(attempt) ? failure : notApplied(failure)));
  }

  #outcome(key: string, attempt: Attempt, present: Stored): Outcome {
    const { ver, val, op } = attempt;
    const versionsSince = present.ver - (ver + 1);
    if (present.ops[versionsSince] === op) return { ver: ver + 1, val };
    if (this.#sent.has(attempt) && versionsSince >= present.ops.length) {
      return new CommitError('the key moved on while the outcome of this write was open');
    }
    return new VersionMismatch(`the key is at version ${present.ver}, not ${ver}`, { key, ver: present.ver, val: present.val });
  }

  /** The last one is remembered: a round asks for it twice. */
  #replay(value: Value): Replay {
    if (this.#last?.before === value) return this.#last;
    const before = decode(value);
    const applied = new Set<Attempt>();
    let after = before;
    for (const attempt of this.#attempts) {
      if (attempt?.ver !== after.ver) continue;
      applied.add(attempt);
      after = { ver: attempt.ver + 1, val: attempt.val, ops: [attempt.op, ...after.ops].slice(0, OPERATION_IDS_KEPT) };
    }
    this.#last = { before: value, after, text: applied.size === 0 ? value : JSON.stringify(after), applied };
    return this.#last;
  }
}

/** A round that failed, at whatever point, did not apply what it never sent. */
function notApplied(error: Error): Error {
  return error instanceof CommitError ? new PrepareError(error.message, {}, error) : error;
}

/** Without the operation ids, which are ours. */
export function versioned({ ver, val }: Stored): Versioned {
  return { ver, val };
}

export function decode(value: Value): Stored {
  return value === null ? ABSENT : (JSON.parse(value) as Stored);
}
