import type { Value } from '../protocol/acceptor.js';
import { CommitError, VersionMismatch } from '../protocol/errors.js';

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
export interface Stored extends Versioned {
  readonly ops: readonly string[];
}

/** How many ids are kept. A write is reported as unknown only where more than this many versions passed it by meanwhile. */
const OPERATION_IDS_KEPT = 32;

const ABSENT: Stored = { ver: 0, val: null, ops: [] };

/** A compare-and-set: writes `val` as version `ver` + 1 where the key is at version `ver` (0: does not exist). */
export interface Write {
  readonly ver: number;
  /** Any JSON value. */
  readonly val: unknown;
}

/** A write under way. */
export interface Attempt extends Write {
  /** Unique in the cluster for all time. */
  readonly op: string;
  /** Whether an accept that carries it was sent. */
  isSent: boolean;
}

/** A read has none. */
export type Attempts = readonly (Attempt | undefined)[];

/** What became of an operation: what the key holds, or the error. */
export type Outcome = Versioned | Error;

/** What the register holds after a write; from now on an accept that carries it may be under way. */
export function applied(attempt: Attempt, { ops }: Stored): Stored {
  attempt.isSent = true;
  return { ver: attempt.ver + 1, val: attempt.val, ops: [attempt.op, ...ops].slice(0, OPERATION_IDS_KEPT) };
}

/** By what the key holds now. */
export function verdicts(key: string, attempts: Attempts, present: Stored): Outcome[] {
  return attempts.map((attempt) => (attempt ? verdict(key, attempt, present) : versioned(present)));
}

/** What became of a write, by what a round has completed with since. */
function verdict(key: string, { ver, val, op, isSent }: Attempt, present: Stored): Outcome {
  const versionsSince = present.ver - (ver + 1);
  if (present.ops[versionsSince] === op) return { ver: ver + 1, val };
  if (isSent && versionsSince >= present.ops.length) return new CommitError('the key moved on while the outcome of this write was open');
  return new VersionMismatch(`the key is at version ${present.ver}, not ${ver}`, { key, ver: present.ver, val: present.val });
}

/** Without the operation ids, which are ours. */
export function versioned({ ver, val }: Stored): Versioned {
  return { ver, val };
}

export function decode(value: Value): Stored {
  return value === null ? ABSENT : (JSON.parse(value) as Stored);
}
