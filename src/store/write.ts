import { BadRequest } from './errors.js';
import { assertJson } from './json-value.js';

/** What a change function returns to delete the key. */
export const DELETED: unique symbol = Symbol('deleted');

/**
 * From what a key holds to what it holds next, both as JSON values. It is pure (see `ChangeFunction`), and leaves `val` itself as it is. What it
 * throws is the outcome of its operation, which then changes nothing.
 *
 * @param val null where the key does not exist
 * @returns the next value, or {@link DELETED}
 */
export type JsonChange = (val: unknown, exists: boolean) => unknown;

/** The name that a client gave to an operation, so that it may send it again and have it applied once. */
export interface OperationName {
  /** Unique among the operations of the key. */
  readonly name: string;
  /** Of the request: another one under the same name is refused. */
  readonly print: string;
  /**
   * The version of the key that the client knew when it sent this for the first time. If more versions than are on record went by since, the
   * outcome is forgotten. 0 unless it is given; a write that expects a version implies it.
   */
  readonly since?: number;
}

/** A write of one key. */
export type Write = {
  /** Applied only if the key is at this version (0: it does not exist). Whatever it is at, if this is not given. */
  readonly ver?: number;
  readonly name?: OperationName;
} & (
  | { /** The next value whatever the present one is: any JSON value, or {@link DELETED}. */ readonly val: unknown }
  | { readonly change: JsonChange }
);

/**
 * A write as it is at this moment: who gave an object may change it while the write waits, or between two of its rounds, which would then carry different
 * values under one operation.
 *
 * @throws BadRequest for what would write something else than was meant: with a condition that is none, say
 */
export function asGiven(write: Write): Write {
  const { ver } = write;
  if ('ver' in write && !(Number.isSafeInteger(ver) && Number(ver) >= 0)) {
    throw new BadRequest(`ver must be an integer from 0 (the key does not exist yet), not ${ver}; left out, the write has no condition`);
  }
  if ('change' in write) {
    if (typeof write.change !== 'function') throw new BadRequest('change must be a function');
    return write;
  }
  const { val } = write;
  if (val === DELETED) return write;
  assertJson(val);
  return typeof val === 'object' ? { ...write, val: JSON.parse(JSON.stringify(val)) as unknown } : write;
}

/** Whether it makes a register smaller, whatever that holds. */
export function deletes(write: Write): boolean {
  return 'val' in write && write.val === DELETED;
}
