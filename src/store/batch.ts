import type { Value } from '../protocol/acceptor.js';
import type { Change } from '../protocol/change.js';
import { CommitError, PrepareError } from '../protocol/errors.js';
import { KeyNotFound, OutcomeForgotten, VersionMismatch } from './errors.js';
import { assertJson } from './json-value.js';
import { type Attempt, earlierUnderName, oldestTold, type Outcome, recordOf, recordsKept } from './records.js';
import { decode, deletedAt, type Stored, type Versioned, versioned } from './versioned.js';
import { DELETED, deletes } from './write.js';

/** A version that a round made of an attempt. */
interface Made {
  readonly id: string;
  readonly ver: number;
  readonly result: Versioned;
}

/** What a round makes of a register. */
interface Replay {
  readonly value: Value;
  readonly floor: number;
  readonly after: Stored;
  readonly text: Value;
  /** The attempts that it applies. */
  readonly applied: ReadonlyMap<Attempt, Made>;
  /** What became of the others. */
  readonly fates: ReadonlyMap<Attempt, Outcome | Missed>;
}

/** The key was at another version than the attempt expects. */
interface Missed {
  readonly missedAt: Stored;
}

/** The operations that one round carries, in their order, and what is known of each of them. A read has no attempt. */
export class Batch {
  readonly #key: string;
  readonly #attempts: readonly (Attempt | undefined)[];
  /** What accepts carried that failed: each of them may have taken effect. */
  readonly #sent = new Map<Attempt, Made[]>();
  /** Those that an accept carried which failed, and the last one: it is asked for twice in a round, and answers the same. */
  readonly #sentReplays: Replay[] = [];
  #last: Replay | undefined;

  constructor(key: string, attempts: readonly (Attempt | undefined)[]) {
    this.#key = key;
    this.#attempts = attempts;
  }

  /** The change function of the round: applies the writes one after the other, each to what the ones before it made. */
  readonly change = (value: Value, floor = 0): Value => this.#replay(value, floor).text;

  /** Whether each operation is a read, or a write that expects a version. */
  get canAllMiss(): boolean {
    return this.#attempts.every((attempt) => !attempt || attempt.ver !== undefined);
  }

  get hasOnlyWrites(): boolean {
    return this.#attempts.every((attempt) => attempt !== undefined);
  }

  /** Whether it makes a register smaller, or keeps its value: it reads and deletes. */
  get takesNoRoom(): boolean {
    return this.#attempts.every((attempt) => !attempt || deletes(attempt));
  }

  /** Whether some of them may be under way, in an accept that failed. */
  get isAnySent(): boolean {
    return this.#sent.size > 0;
  }

  /** Whether a round that meets this value leaves it as it is. */
  leaves(value: Value): boolean {
    return this.#replay(value).applied.size === 0;
  }

  /** Takes note of a round that failed after it had sent this change. */
  noteSent(change: Change | undefined): void {
    const replay = change && this.#known(change.before);
    if (!replay || this.#sentReplays.includes(replay)) return;
    this.#sentReplays.push(replay);
    for (const [attempt, made] of replay.applied) this.#sent.set(attempt, [...(this.#sent.get(attempt) ?? []), made]);
  }

  /**
   * Whether `value`, which a quorum read has shown, decides all of them without a round: none would be applied to it, and each that was
   * sent is of a version up to its. Such a value is either what the failed accept wrote or of a later ballot: a round that had chosen an
   * earlier version would have been met by the read.
   *
   * For example, an accept of version 8 failed. If the key is at version 9 now, the proposer that wrote 9 had read a version 8, and its records say
   * whose; the failed accept, of a lower ballot, can change that no more. If the key is at version 7, nothing is decided: the accept may
   * still arrive. Another proposer may have sent what has a name: that it is not there proves as little, unless its version is past.
   */
  isDecidedBy(value: Value): boolean {
    const { applied, fates, after } = this.#replay(value);
    const isPast = (attempt: Attempt): boolean => {
      const fate = fates.get(attempt);
      return (fate !== undefined && 'ver' in fate) || (0 < (attempt.ver ?? 0) && (attempt.ver ?? 0) < after.ver);
    };
    return (
      applied.size === 0 &&
      [...this.#sent.values()].flat().every((made) => made.ver <= after.ver) &&
      this.#attempts.every((attempt) => !attempt?.name || isPast(attempt))
    );
  }

  /** What became of each, by a round that was completed, or by what a quorum read has shown. What that round itself applied is known. */
  outcomesOf(before: Value): Outcome[] {
    const { after, applied, fates } = this.#known(before) ?? this.#replay(before);
    return this.#attempts.map((attempt) => {
      if (!attempt) return versioned(after);
      const outcome = applied.get(attempt)?.result ?? fates.get(attempt) ?? { missedAt: after };
      if (!('missedAt' in outcome)) return outcome;
      // Its name may have been applied since, in this same round, by another sending of it.
      const again = attempt.name && earlierUnderName(this.#key, attempt.name, attempt, after);
      if (again && !(again instanceof Error)) return again;
      // The newest state helps its client most; but one after it in this round may have made the very version that it expects.
      return this.#mismatch(attempt, versioned(expects(attempt, after) ? outcome.missedAt : after));
    });
  }

  /** What became of each, if it cannot be found out: unknown if it was sent, else not applied. */
  outcomesAfter(failure: Error): Outcome[] {
    return this.#attempts.map((attempt) => (attempt && this.#sent.has(attempt) ? failure : notApplied(failure)));
  }

  #mismatch({ ver }: Attempt, present: Versioned): VersionMismatch {
    return new VersionMismatch(`the key is at version ${present.ver}, not ${ver}`, { key: this.#key, ...present });
  }

  #known(value: Value, floor?: number): Replay | undefined {
    const all = this.#last ? [this.#last, ...this.#sentReplays] : this.#sentReplays;
    return all.find((replay) => replay.value === value && (floor === undefined || replay.floor === floor));
  }

  /** Of two that were sent and begin differently the ids differ, too: an id that is found tells which of them took effect. */
  #replay(value: Value, floor = 0): Replay {
    const known = this.#known(value, floor);
    if (known) return (this.#last = known);
    const applied = new Map<Attempt, Made>();
    const fates = new Map<Attempt, Outcome | Missed>();
    let after = decode(value, floor);
    for (const attempt of this.#attempts) {
      if (!attempt) continue;
      const fate = this.#earlier(attempt, after) ?? this.#next(attempt, after);
      if (fate instanceof Error || 'missedAt' in fate || 'ver' in fate) {
        fates.set(attempt, fate);
        continue;
      }
      const id = this.#sentReplays.length === 0 ? attempt.op : `${attempt.op}~${this.#sentReplays.length}`;
      const ver = after.ver + 1;
      const { val } = fate;
      const record = attempt.name ? recordOf(attempt.name, attempt, val) : id;
      applied.set(attempt, { id, ver, result: val === DELETED ? deletedAt(ver) : { ver, val } });
      const ops = [record, ...after.ops];
      after = val === DELETED ? { ver, val: null, ops, deleted: true } : { ver, val, ops };
    }
    if (applied.size > 0) after = { ...after, ops: after.ops.slice(0, recordsKept(after.ops.length - applied.size, applied.size)) };
    this.#last = { value, floor, after, text: applied.size === 0 ? value : JSON.stringify(after), applied, fates };
    return this.#last;
  }

  /** What the register tells of an attempt that may have been applied before. Undefined: it certainly was not. */
  #earlier(attempt: Attempt, present: Stored): Outcome | undefined {
    const { name } = attempt;
    const sent = this.#sent.get(attempt);
    if (name) {
      const outcome = earlierUnderName(this.#key, name, attempt, present);
      // Forgotten is what was sent before. This one was sent just now: a client that took it for not applied would have it applied twice.
      return outcome instanceof OutcomeForgotten && sent ? outrun() : outcome;
    }
    if (!sent) return undefined;
    const found = sent.find(({ id }) => present.ops.includes(id));
    if (found) return found.result;
    return sent.every(({ ver }) => ver > oldestTold(present)) ? undefined : outrun();
  }

  /** What an attempt makes of a register that does not hold it yet, or why it makes nothing. */
  #next(attempt: Attempt, present: Stored): { val: unknown } | Error | Missed {
    if (!expects(attempt, present)) return { missedAt: present };
    const { ver, val, ops, deleted } = present;
    try {
      const next = 'change' in attempt ? attempt.change(val, !deleted) : attempt.val;
      if (next === DELETED && deleted) {
        return new KeyNotFound('the key does not exist', { key: this.#key, ver: 0, ...(ops.length > 0 && { deletedVer: ver }) });
      }
      if (next !== DELETED && 'change' in attempt) assertJson(next);
      return { val: next };
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}

function expects(attempt: Attempt, { ver, deleted }: Stored): boolean {
  return attempt.ver === undefined || attempt.ver === (deleted ? 0 : ver);
}

function outrun(): CommitError {
  return new CommitError('the key moved on while the outcome of this write was open');
}

/** A round that failed, at whatever point, did not apply what it never sent. */
function notApplied(error: Error): Error {
  return error instanceof CommitError ? new PrepareError(error.message, {}, error) : error;
}
