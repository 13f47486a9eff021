const UNITS_MS: ReadonlyMap<string, number> = new Map([
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/** A timer holds no more than 24.8 days. */
const MAX_MS = 24 * 86_400_000;

/**
 * Reads `COLLECT_EVERY`, in milliseconds; undefined if nothing is given, for that is how the service is told not to collect by itself.
 * Throws an error that says what it takes.
 */
export function readInterval(text: string | undefined): number | undefined {
  if (!text) return undefined;
  const [, count, unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const intervalMs = Number(count) * (UNITS_MS.get(unit) ?? NaN);
  if (intervalMs > 0 && intervalMs <= MAX_MS) return intervalMs;
  throw new Error(
    `COLLECT_EVERY: write a number of seconds, minutes, hours or days, from 1s to 24d, such as 30m or 12h, or nothing, not "${text}"`,
  );
}
