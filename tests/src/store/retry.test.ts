import { describe, expect, it } from 'vitest';
import { RETRY_PAUSE_MAX_MS } from '../../../proposer/limits.js';
import { repeatWithPauses } from '../../../src/store/retry.js';

/** Fails as many times, and notes when it was tried. */
function failing(times: number): { attempt: () => Promise<void>; startsMs: number[] } {
  const startsMs: number[] = [];
  const attempt = (): Promise<void> => {
    startsMs.push(performance.now());
    return startsMs.length > times ? Promise.resolve() : Promise.reject(new Error('lost'));
  };
  return { attempt, startsMs };
}

describe('an attempt', () => {
  it.each([0, 1, 5])('that fails %i times is repeated until it resolves', async (times) => {
    const { attempt, startsMs } = failing(times);
    await repeatWithPauses(attempt);
    expect(startsMs).toHaveLength(times + 1);
  });

  it('is repeated after pauses that differ, also after many', async () => {
    const { attempt, startsMs } = failing(25);
    await repeatWithPauses(attempt);
    const pauses = startsMs.slice(6).map((startMs, index) => startMs - (startsMs[index + 5] ?? 0));
    expect(pauses.filter((pauseMs) => pauseMs < RETRY_PAUSE_MAX_MS / 2).length).toBeGreaterThan(2);
    expect(pauses.filter((pauseMs) => pauseMs > RETRY_PAUSE_MAX_MS / 2).length).toBeGreaterThan(2);
  });
});
