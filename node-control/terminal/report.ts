import type { Transition } from '../safety/guard.js';
import type { Manner, StepReport } from '../step/step.js';

/** What a step did, a line for each proposer, after what is to be said about it; for a dry run what it would do. */
export function reportLines(
  { outcomes, warnings, remarks }: StepReport,
  describe: (outcome: Transition) => string,
  { dryRun = false }: Manner,
): string[] {
  return [
    ...warnings.map((warning) => `FORCED although ${warning}`),
    ...remarks,
    ...outcomes.map((outcome) => (dryRun && outcome.changed ? `would be done: ${describe(outcome)}` : describe(outcome))),
  ];
}

/** Columns of the width of their widest cell, two spaces apart. The last one is not padded. */
export function formatTable(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
