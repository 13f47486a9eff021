import { expect, it } from 'vitest';
import { answerTimeoutMs } from '../../../src/http/client.js';
import { DEFAULT_LIMITS, limitsFor, readLimits, slowestAnswerMs } from '../../../src/store/limits.js';

it('are the usual ones where nothing is said, and where what is said is the usual', () => {
  expect(readLimits({})).toEqual(DEFAULT_LIMITS);
  expect(readLimits({ ACCEPTOR_TIMEOUT_MS: '' })).toEqual(DEFAULT_LIMITS);
  expect(readLimits({ ACCEPTOR_TIMEOUT_MS: '300' })).toEqual(DEFAULT_LIMITS);
  expect(slowestAnswerMs(DEFAULT_LIMITS)).toBeLessThan(3_500);
  expect(answerTimeoutMs(DEFAULT_LIMITS)).toBe(5_000);
});

it.each([50, 300, 700, 1_000, 2_000])('leave room for what has to fit into them, with %i ms', (timeoutMs) => {
  const limits = readLimits({ ACCEPTOR_TIMEOUT_MS: String(timeoutMs) });
  expect(limits).toEqual(limitsFor(timeoutMs));
  expect(limits.acceptorTimeoutMs).toBe(timeoutMs);
  // A round is two phases.
  expect(limits.patienceMs).toBeGreaterThan(2 * timeoutMs);
  expect(limits.resolveMs).toBeGreaterThanOrEqual(2 * timeoutMs);
  expect(answerTimeoutMs(limits)).toBeGreaterThan(slowestAnswerMs(limits) + 1_000);
});

it.each(['0', '49', '2001', '0.5', '-300', '300ms', '1e3'])('refuse %s, and say what to set', (text) => {
  expect(() => readLimits({ ACCEPTOR_TIMEOUT_MS: text })).toThrow(
    `ACCEPTOR_TIMEOUT_MS must be an integer from 50 to 2000, not "${text}": three times what a write to the slowest disk takes`,
  );
});
