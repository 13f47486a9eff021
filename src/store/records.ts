import { NameReused, OutcomeForgotten } from './errors.js';
import { deletedAt, type OperationRecord, type Stored, type Versioned } from './versioned.js';
import { DELETED, type OperationName, type Write } from './write.js';

/*
 * What a register tells of the operations that were applied to it (docs/protocol.md, "Change functions, names and deletions").
 */

/** How many versions a register tells the operations of, at least. Those of one round are told of whatever their number, until the next round. */
const RECORDS_KEPT = 32;
/** Where rounds carry many, this many rounds are told of, as long as that does not make the register long. */
const [ROUNDS_KEPT, RECORDS_KEPT_MAX] = [16, 512];
/** A longer result of a change function is not kept beside its name. */
const RESULT_CHARACTERS_MAX = 64;

/** A write with its operation id, which is unique in the cluster for all time. */
export type Attempt = Write & { readonly op: string };

/** What became of an operation: what the key holds, or the error. */
export type Outcome = Versioned | Error;

/** What became of a client's operation when it was applied under its name; the error, if that cannot be told; undefined if it never was. */
export function earlierUnderName(
  key: string,
  { name, print, since = 0 }: OperationName,
  attempt: Attempt,
  present: Stored,
): Outcome | undefined {
  const index = present.ops.findIndex((record) => typeof record !== 'string' && record.name === name);
  const record = present.ops[index];
  if (record === undefined || typeof record === 'string') {
    const { ver: expected = 0 } = attempt;
    // One that expects a version could only be applied as the next.
    if ((expected > 0 ? expected : since) >= oldestTold(present)) return undefined;
    const told =
      present.ops.length > 0
        ? `the last ${present.ops.length} writes of the key do not tell what became of ${JSON.stringify(name)}, and there were more`
        : `deleted keys were collected since, so nothing tells what became of ${JSON.stringify(name)}`;
    const advice = `if you send it for the first time, send with it "since": ${present.ver}, and the same again when you repeat it`;
    return new OutcomeForgotten(expected > 0 ? told : `${told}; ${advice}`, { key, since: present.ver });
  }
  if (record.print !== print) {
    return new NameReused(`the name ${JSON.stringify(name)} was given to another request for this key`, { key });
  }
  const ver = present.ver - index;
  if ('val' in attempt) return attempt.val === DELETED ? deletedAt(ver) : { ver, val: attempt.val };
  if ('val' in record) return { ver, val: record.val };
  if (record.deleted) return deletedAt(ver);
  return { ver, val: index === 0 ? present.val : undefined };
}

/** Of every version above this one the register tells which operation made it. */
export function oldestTold({ ver, ops }: Stored): number {
  return ver - ops.length;
}

/** What a register keeps of an attempt that has a name, beside the version that it made. */
export function recordOf({ name, print }: OperationName, attempt: Attempt, val: unknown): OperationRecord {
  if (!('change' in attempt)) return { name, print };
  if (val === DELETED) return { name, print, deleted: true };
  return JSON.stringify(val).length <= RESULT_CHARACTERS_MAX ? { name, print, val } : { name, print };
}

/**
 * How many records a register keeps.
 * A small round after large ones cuts off few: it may have come between a large one and the search for its outcome.
 * @param before how many it held
 * @param applied how many the round adds
 */
export function recordsKept(before: number, applied: number): number {
  const wanted = Math.max(ROUNDS_KEPT * applied, before - applied);
  return Math.max(RECORDS_KEPT, applied, Math.min(wanted, RECORDS_KEPT_MAX));
}
