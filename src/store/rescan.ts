import { EraMismatch } from '../protocol/errors.js';
import { RESCAN_CONCURRENCY, RESCAN_FAILURES_IN_A_ROW } from '../../proposer/limits.js';
import type { ReconfigurableProposer } from './reconfigurable-proposer.js';

export interface Rescanned {
  /** How many keys. */
  readonly done: number;
  readonly failed: readonly { readonly key: string; readonly message: string }[];
}

/**
 * Brings keys to an accept quorum of the present configuration, some at a time. Where nothing works it gives up: the caller has other proposers.
 *
 * @param era of the configuration that the caller means; a rescan under another one proves nothing
 * @param rescan brings one key there, or rejects
 * @throws EraMismatch where the configuration is of another era before the first key or after the last
 */
export async function rescanKeys(
  member: Pick<ReconfigurableProposer, 'configuration'>,
  era: number,
  keys: readonly string[],
  rescan: (key: string) => Promise<void>,
): Promise<Rescanned> {
  assertEra(member, era);
  let done = 0;
  const failed: { key: string; message: string }[] = [];
  const rest = keys.values();
  let failedInARow = 0;
  const worker = async (): Promise<void> => {
    for (const key of rest) {
      if (failedInARow >= RESCAN_FAILURES_IN_A_ROW) {
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
  await Promise.all(Array.from({ length: RESCAN_CONCURRENCY }, worker));
  assertEra(member, era);
  return { done, failed };
}

function assertEra({ configuration }: Pick<ReconfigurableProposer, 'configuration'>, era: number): void {
  if (configuration.era === era) return;
  throw new EraMismatch(`the configuration is of era ${configuration.era}, not ${era}; start the rescan again`, { ...configuration });
}
