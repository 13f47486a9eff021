import type { Configuration } from '../protocol/configuration.js';
import { EraMismatch } from './errors.js';
import type { StoreLimits } from './limits.js';

/** Of a value, before any is known: the largest that proposers take. */
const FIRST_GUESS_BYTES = 64 * 1024;
/** With each value that is smaller the largest one counts for less. */
const FORGETTING = 0.9;

export interface Rescanned {
  /** How many keys. */
  readonly done: number;
  readonly failed: readonly { readonly key: string; readonly message: string }[];
}

export interface RescanOptions {
  /** Of the configuration that the caller means; a rescan under another one proves nothing. */
  readonly era: number;
  readonly configuration: () => Configuration;
  readonly keys: readonly string[];
  /** Brings one key to an accept quorum of the present configuration, or rejects. Returns how many bytes its value has, about. */
  readonly rescan: (key: string) => Promise<number>;
  readonly limits: Pick<StoreLimits, 'rescanConcurrency' | 'rescanBytes' | 'rescanFailuresInARow'>;
}

/**
 * Brings keys to an accept quorum of the present configuration, some at a time. If nothing works it gives up: the caller has other proposers.
 * @throws EraMismatch if the configuration is of another era before the first key or after the last
 */
export async function rescanKeys({ era, configuration, keys, rescan, limits }: RescanOptions): Promise<Rescanned> {
  assertEra(configuration(), era);
  let done = 0;
  const failed: { key: string; message: string }[] = [];
  const rest = keys.values();
  let failedInARow = 0;
  const inProgress = new InProgress(limits.rescanBytes);
  const worker = async (): Promise<void> => {
    for (const key of rest) {
      if (failedInARow >= limits.rescanFailuresInARow) {
        failed.push({ key, message: `not tried: the ${failedInARow} keys before it failed` });
        continue;
      }
      while (!inProgress.hasRoom) await inProgress.change();
      inProgress.begin();
      try {
        inProgress.learn(await rescan(key));
        done += 1;
        failedInARow = 0;
      } catch (error) {
        failed.push({ key, message: error instanceof Error ? error.message : String(error) });
        failedInARow += 1;
      } finally {
        inProgress.end();
      }
    }
  };
  await Promise.all(Array.from({ length: limits.rescanConcurrency }, worker));
  assertEra(configuration(), era);
  return { done, failed };
}

/**
 * Bounds the bytes of the values that are under way at a time. How large a value is, only its round shows: each is expected to be as large as those before it
 * were, and the first ones as large as can be.
 */
class InProgress {
  readonly #mostBytes: number;
  #expectedBytes = FIRST_GUESS_BYTES;
  #count = 0;
  #waiting: (() => void)[] = [];

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** Whether one more may be under way. One always may. */
  get hasRoom(): boolean {
    return this.#count === 0 || (this.#count + 1) * this.#expectedBytes <= this.#mostBytes;
  }

  /** Waits until one has ended. */
  change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  begin(): void {
    this.#count += 1;
  }

  learn(bytes: number): void {
    this.#expectedBytes = Math.max(bytes, FORGETTING * this.#expectedBytes);
  }

  end(): void {
    this.#count -= 1;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}

function assertEra(configuration: Configuration, era: number): void {
  if (configuration.era === era) return;
  throw new EraMismatch(`the configuration is of era ${configuration.era}, not ${era}; start the rescan again`, { ...configuration });
}
