import { describe, expect, it } from 'vitest';
import { RETRY_PAUSE_MAX_MS } from '../../proposer/limits.js';
import { retryUntil } from '../../proposer/retry.js';
import { CommitError, ConcurrentRequestError, NotConfigured, PrepareError, StaleConfiguration, VersionMismatch } from '../../src/errors.js';

const FAR_MS = 10_000;

describe('an attempt', () => {
  it.each([PrepareError, ConcurrentRequestError, StaleConfiguration])('that sent no accept is repeated: %o', async (kind) => {
    let attempts = 0;
    const result = await retryUntil(Date.now() + FAR_MS, () => {
      attempts += 1;
      return attempts < 4 ? Promise.reject(new kind('lost')) : Promise.resolve('done');
    });
    expect({ result, attempts }).toEqual({ result: 'done', attempts: 4 });
  });

  it.each([CommitError, NotConfigured, VersionMismatch, TypeError])('that ends otherwise is made once: %o', async (kind) => {
    let attempts = 0;
    const error = new kind('over');
    const result = retryUntil(Date.now() + FAR_MS, () => {
      attempts += 1;
      return Promise.reject(error);
    });
    await expect(result).rejects.toBe(error);
    expect(attempts).toBe(1);
  });

  it('that fails until the deadline ends with its last error, not with the most frequent one', async () => {
    let attempts = 0;
    let last: Error | undefined;
    const result = retryUntil(Date.now() + 200, () => {
      attempts += 1;
      return Promise.reject((last = new PrepareError(`attempt ${attempts}`)));
    });
    const reason: unknown = await result.catch((error: unknown) => error);
    expect(reason).toBe(last);
    expect(attempts).toBeGreaterThan(2);
  });

  it('is repeated after pauses that differ, also after many', async () => {
    const starts: number[] = [];
    await retryUntil(Date.now() + FAR_MS, () => {
      starts.push(performance.now());
      return starts.length < 26 ? Promise.reject(new PrepareError('lost')) : Promise.resolve();
    });
    const pauses = starts.slice(6).map((start, index) => start - (starts[index + 5] ?? 0));
    expect(pauses.filter((pauseMs) => pauseMs < RETRY_PAUSE_MAX_MS / 2).length).toBeGreaterThan(2);
    expect(pauses.filter((pauseMs) => pauseMs > RETRY_PAUSE_MAX_MS / 2).length).toBeGreaterThan(2);
  });
});
