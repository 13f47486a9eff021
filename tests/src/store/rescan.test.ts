import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../../src/store/limits.js';
import { rescanKeys } from '../../../src/store/rescan.js';
import { EMPTY_CONFIGURATION } from '../../../src/protocol/configuration.js';

const { rescanBytes, rescanConcurrency, rescanFailuresInARow } = DEFAULT_LIMITS;
const keys = Array.from({ length: 1_000 }, (_, index) => `key-${index}`);

const rescanning = (rescan: () => Promise<number>): ReturnType<typeof rescanKeys> =>
  rescanKeys({ era: 1, configuration: () => ({ ...EMPTY_CONFIGURATION, era: 1 }), keys, rescan, limits: DEFAULT_LIMITS });

describe('a proposer that rescans keys', () => {
  it('tries no more of them where nothing works: each would cost the time of all its retries', async () => {
    let tried = 0;
    const { done, failed } = await rescanning(async () => {
      tried += 1;
      await Promise.resolve();
      throw new Error('nobody answers');
    });
    expect(done).toBe(0);
    expect(failed.map(({ key }) => key).sort()).toEqual([...keys].sort());
    expect(tried).toBeLessThan(rescanFailuresInARow + rescanConcurrency);
    expect(failed.filter(({ message }) => /^not tried: the \d+ keys before it failed$/.test(message))).toHaveLength(keys.length - tried);
  });

  it('tries all of them where some work', async () => {
    let tried = 0;
    const { done, failed } = await rescanning(async () => {
      tried += 1;
      if (tried % 10 !== 0) throw new Error('this one does not');
      return 100;
    });
    expect([done, failed.length, tried]).toEqual([100, 900, 1_000]);
  });

  it.each([
    ['large', 60_000, Math.floor(rescanBytes / 60_000)],
    ['small', 100, rescanConcurrency],
  ])('has as many %s values under way at a time as acceptors take in, from the first one on', async (_, bytes, most) => {
    let underWay = 0;
    const seen: number[] = [];
    const { done } = await rescanning(async () => {
      seen.push((underWay += 1));
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      return bytes;
    });
    expect(done).toBe(keys.length);
    expect(Math.max(...seen)).toBe(most);
    expect(Math.max(...seen.slice(0, 10)) * 64 * 1024).toBeLessThanOrEqual(rescanBytes);
  });
});
