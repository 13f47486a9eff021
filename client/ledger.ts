/** A key holds something that this client cannot increment. */
export class NotANumber extends Error {
  constructor(key: string, val: unknown) {
    const shown = JSON.stringify(val).slice(0, 60);
    super(`${key} holds ${shown}, not a whole number: another program writes there. Choose keys of your own: --key-prefix NAME`);
  }
}

/** What this client knows of one key. */
export interface Tally {
  readonly key: string;
  /** The value before this client's first write; undefined where the key was never read. */
  readonly start: number | undefined;
  /** Increments that a proposer confirmed. */
  readonly acknowledged: number;
  /** Increments of which nobody said whether they were applied. */
  readonly unknown: number;
}

type Entry = { -readonly [Name in keyof Tally]: Tally[Name] };

/** What became of a write. `refused`: certainly not applied. */
export type WriteOutcome = 'acknowledged' | 'refused' | 'unknown';

/**
 * Keeps the books for the final check.
 *
 * The start of a key is what the first read of it to be *answered* held, whoever sent it. That is exact without a phase of its own, and works
 * the same where the cluster is configured only later: a coroutine writes a key only after its own read of it was answered, so every write of
 * this client begins after that first answer, and the value in it has none of them.
 */
export class Ledger {
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #versions = new Map<string, number>();

  constructor(keys: readonly string[]) {
    this.#entries = new Map(keys.map((key) => [key, { key, start: undefined, acknowledged: 0, unknown: 0 }]));
  }

  get keys(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /**
   * Takes note of a value that was read (0 where the key does not exist), and returns it. Throws {@link NotANumber}.
   * @param ver of it, or of its deletion
   */
  saw(key: string, val: unknown, ver = 0): number {
    if (!isNumber(val)) throw new NotANumber(key, val);
    this.#entry(key).start ??= val;
    this.#versions.set(key, Math.max(ver, this.#versions.get(key) ?? 0));
    return val;
  }

  /** The highest version of the key that this client was told; undefined where the key was never read. */
  version(key: string): number | undefined {
    return this.#versions.get(key);
  }

  /** Call it before a write is sent: the write counts as unknown until the returned function is told better, even if it never is. */
  sends(key: string): (outcome: WriteOutcome) => void {
    const entry = this.#entry(key);
    entry.unknown += 1;
    return (outcome) => {
      if (outcome !== 'unknown') entry.unknown -= 1;
      if (outcome === 'acknowledged') entry.acknowledged += 1;
    };
  }

  /** The books as they are now; later outcomes do not change them. */
  tallies(): readonly Tally[] {
    return [...this.#entries.values()].map((entry) => ({ ...entry }));
  }

  #entry(key: string): Entry {
    const entry = this.#entries.get(key);
    if (!entry) throw new RangeError(`not a key of this client: ${key}`);
    return entry;
  }
}

/** Whole, and small enough that adding 1 is exact. */
export function isNumber(val: unknown): val is number {
  return Number.isSafeInteger(val) && (val as number) < Number.MAX_SAFE_INTEGER;
}
