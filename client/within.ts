import type { Time } from '../src/protocol/time.js';

/** Waits for the promise, but at most `limitMs`: then undefined. What the promise stands for goes on, and its end is ignored. */
export async function within<Result>(time: Time, limitMs: number, promise: Promise<Result>): Promise<Result | undefined> {
  let cancel = (): void => undefined;
  const limit = new Promise<undefined>((resolve) => {
    cancel = time.after(limitMs, () => resolve(undefined));
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    cancel();
  }
}

/** Resolves at the signal. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
