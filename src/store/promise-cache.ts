import { LRUCache } from 'lru-cache';
import type { PromiseCache, Promised } from '../protocol/promises.js';

/** As many as fit: some 50,000 with short values. */
const PROMISES_MAX_CHARACTERS = 32 * 1024 * 1024;
/** What keeping one costs besides its key and its value. */
const OVERHEAD_CHARACTERS = 640;

/** Keeps the promises of the keys that were used last. A key without one prepares. */
export function promiseCache(): PromiseCache {
  return new LRUCache<string, Promised>({
    // Without a largest number of entries it takes no room before there are any: the simulation makes thousands of proposers.
    maxSize: PROMISES_MAX_CHARACTERS,
    sizeCalculation: ({ value }, key) => key.length + (value?.length ?? 0) + OVERHEAD_CHARACTERS,
  });
}
