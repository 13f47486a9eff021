import type { Value } from '../protocol/acceptor.js';

/** What a key holds. `ver` 0: the key does not exist, and `val` is null. */
export interface Versioned {
  readonly ver: number;
  /** Any JSON value. Undefined only where a repeated operation is told its version, and its long result is no longer kept. */
  readonly val: unknown;
  /** Of a key that was deleted: the version of its deletion. The value that is written next is of the version after it. */
  readonly deletedVer?: number;
}

/** A client's operation that was applied, under the name that the client gave it. */
export interface NamedRecord {
  readonly name: string;
  /** Of the request, by which another one under the same name is told. */
  readonly print: string;
  /** What it made, if that does not follow from the request and is short. */
  readonly val?: unknown;
  /** Its change function deleted the key. */
  readonly deleted?: true;
}

/** An operation that was applied: by the id that its proposer gave it, or by its client's name. */
export type OperationRecord = string | NamedRecord;

/**
 * What a register holds, as JSON: with a record of the operation that wrote this version, of the one before, and so on. Every later round keeps
 * them, so that an operation whose outcome is open can find itself although others wrote since.
 */
export interface Stored {
  /** Of a tombstone: the version of the deletion. */
  readonly ver: number;
  readonly val: unknown;
  /** `ops[i]` made version `ver - i`. */
  readonly ops: readonly OperationRecord[];
  /** A tombstone (paper, section 3.1), or nothing at all: the key does not exist. */
  readonly deleted?: true;
}

/**
 * Reads a register.
 * @param floor the version that the acceptors have told for registers without a value: an absent key is then as a deleted one of that version
 */
export function decode(value: Value, floor = 0): Stored {
  return value === null ? { ver: floor, val: null, ops: [], deleted: true } : (JSON.parse(value) as Stored);
}

/** Without the records, which are ours. */
export function versioned({ ver, val, ops, deleted }: Stored): Versioned {
  if (!deleted) return { ver, val };
  return ops.length === 0 ? { ver: 0, val: null } : deletedAt(ver);
}

/** What a key holds whose version `ver` is its deletion. */
export function deletedAt(ver: number): Versioned {
  return { ver: 0, val: null, deletedVer: ver };
}
