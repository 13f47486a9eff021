import { setTimeout as sleep } from 'node:timers/promises';
import retry from 'async-retry';
import { ConcurrentRequestError, PrepareError, StaleConfiguration } from '../src/errors.js';
import { RETRY_PAUSE_MAX_MS, RETRY_PAUSE_MS } from './limits.js';

/** Errors of an attempt that sent nothing that could be chosen, and whose cause passes: another proposer, a connection, a configuration step. */
const PASSING = [PrepareError, ConcurrentRequestError, StaleConfiguration];

/**
 * Repeats an attempt that lost against another proposer until it succeeds or the deadline passes. Pauses are drawn from zero to a limit
 * that doubles: two proposers that met once do not meet again in step.
 *
 * @param deadlineMs on the clock of `Date.now()`
 * @throws the last error: any that does not pass, or the one at the deadline
 */
export function retryUntil<Result>(deadlineMs: number, attempt: () => Promise<Result>): Promise<Result> {
  return retry<Result>(
    async (bail, count) => {
      if (count > 1) await sleep(Math.random() * Math.min(RETRY_PAUSE_MAX_MS, RETRY_PAUSE_MS * 2 ** (count - 2)));
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        const passes = PASSING.some((kind) => error instanceof kind) && Date.now() < deadlineMs;
        if (passes) throw error;
        bail(error);
        return undefined as Result; // never seen: bail has already rejected
      }
    },
    // Its own pauses would all be the longest one, to the millisecond, from the sixth on.
    { forever: true, minTimeout: 0, maxTimeout: 0 },
  );
}
