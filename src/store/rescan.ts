import type { Configuration } from '../protocol/configuration.js';
import { EraMismatch } from './errors.js';
import type { StoreLimits } from './limits.js';

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
  /** Brings one key to an accept quorum of the present configuration, or rejects. */
  readonly rescan: (key: string) => Promise<unknown>;
  readonly limits: Pick<StoreLimits, 'rescanConcurrency' | 'rescanFailuresInARow'>;
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
  const worker = async (): Promise<void> => {
    for (const key of rest) {
      if (failedInARow >= limits.rescanFailuresInARow) {
        failed.push({ key, message: `not tried: the ${failedInARow} keys before it failed` });
        continue;
      }
      try {
        await rescan(key);
        done += 1;
        failedInARow = 0;
      } catch (error) {
        failed.push({ key, message: error instanceof Error ? error.message : String(error) });
        failedInARow += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: limits.rescanConcurrency }, worker));
  assertEra(configuration(), era);
  return { done, failed };
}

function assertEra(configuration: Configuration, era: number): void {
  if (configuration.era === era) return;
  throw new EraMismatch(`the configuration is of era ${configuration.era}, not ${era}; start the rescan again`, { ...configuration });
}
