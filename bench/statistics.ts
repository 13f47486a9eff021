/** The middle of some numbers, and how far they are apart. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Undefined where there are none. */
export function spreadOf(numbers: readonly number[]): Spread | undefined {
  const sorted = [...numbers].sort((a, b) => a - b);
  const [least, most] = [sorted[0], sorted.at(-1)];
  if (least === undefined || most === undefined) return undefined;
  const half = (sorted.length - 1) / 2;
  const median = ((sorted[Math.floor(half)] ?? NaN) + (sorted[Math.ceil(half)] ?? NaN)) / 2;
  return { median, least, most };
}

/** Of each figure to the one beside it, for as many as have a neighbour. */
export function ratios(figures: readonly number[], others: readonly number[]): number[] {
  return figures.slice(0, others.length).map((figure, at) => figure / (others[at] ?? NaN));
}
