/** From here on an operator should do something. */
const NEARLY_FULL = 0.75;

/** How full its memory is, for people; undefined as long as it is not nearly full. */
export function memoryText(memoryUsed: number | undefined): string | undefined {
  if (memoryUsed === undefined || memoryUsed < NEARLY_FULL) return undefined;
  return `its memory is ${Math.round(100 * memoryUsed)}% full: see "The memory of an acceptor is full" in docs/operations.md`;
}

/** The share of `maxmemory` that is used, from 0 to 1; undefined where there is no limit. @param fields of INFO */
export function memoryUsedIn(fields: ReadonlyMap<string, string>): number | undefined {
  const limit = Number(fields.get('maxmemory') ?? 0);
  return limit > 0 ? Math.min(1, Number(fields.get('used_memory')) / limit) : undefined;
}

/** The highest share of those that are known. */
export function highestShare(memoryUsed: readonly (number | undefined)[]): number | undefined {
  const known = memoryUsed.filter((share) => share !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}
