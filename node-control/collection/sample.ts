import type { AcceptorAdmin } from '../../src/redis/acceptor-admin.js';
import { inParts, KEYS_AT_ONCE } from './survey.js';

/** So many registers of an acceptor are looked at, however many it holds: some 40 ms, or 0.3 s if they are of the largest size. */
const SAMPLE_KEYS = 1_000;

/** How many registers of one acceptor hold a tombstone. */
export interface TombstoneCount {
  /** Scaled up to all registers, unless it is exact. */
  readonly count: number;
  /** Whether every register was looked at. */
  readonly isExact: boolean;
}

/**
 * Counts tombstones on an acceptor by the first registers that it lists. It lists them in the order of its hash table, which has nothing to do with what
 * they hold, so they are a fair sample. Registers without a value are not counted: a round that is under way leaves some for a moment.
 *
 * @param size the number of its registers
 * @param sampleKeys after which it stops looking
 */
export async function countTombstones(
  admin: Pick<AcceptorAdmin, 'keys' | 'remains'>,
  size: number,
  sampleKeys = SAMPLE_KEYS,
): Promise<TombstoneCount> {
  let [looked, found] = [0, 0];
  for await (const page of admin.keys()) {
    for (const keys of inParts(page, KEYS_AT_ONCE)) {
      if (looked >= sampleKeys) return { count: Math.round((found / looked) * Math.max(size, looked)), isExact: false };
      const remains = await admin.remains(keys);
      looked += keys.length;
      found += remains.filter((register) => (register?.version ?? 0) > 0).length;
    }
  }
  return { count: found, isExact: true };
}

/** `about 1,200`. */
export function countText({ count, isExact }: TombstoneCount): string {
  return `${isExact ? '' : 'about '}${count.toLocaleString('en')}`;
}
