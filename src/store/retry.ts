import { setTimeout as sleep } from 'node:timers/promises';
import retry from 'async-retry';
import { ConcurrentRequestError, PrepareError, StaleConfiguration } from '../protocol/errors.js';
import { RETRY_PAUSE_MAX_MS, RETRY_PAUSE_MS } from '../../proposer/limits.js';

/** Errors of an attempt that sent nothing that could be chosen, and whose cause passes: another proposer, a connection, a configuration step. */
const PASSING = [PrepareError, ConcurrentRequestError, StaleConfiguration];

export function isPassing(error: Error): boolean {
  return PASSING.some((kind) => error instanceof kind);
}

/**
 * Repeats an attempt until it resolves. Pauses are drawn from zero to a limit that doubles: two proposers that met once do not meet again in step.
 */
export async function repeatWithPauses(attempt: () => Promise<void>): Promise<void> {
  try {
    // Most attempts are the only one, and cost nothing of what follows.
    await attempt();
  } catch {
    await retry(
      async (_bail, count) => {
        await sleep(Math.random() * Math.min(RETRY_PAUSE_MAX_MS, RETRY_PAUSE_MS * 2 ** (count - 1)));
        await attempt();
      },
      // Its own pauses would all be the longest one, to the millisecond, from the sixth on.
      { forever: true, minTimeout: 0, maxTimeout: 0 },
    );
  }
}
