import type { Manner, Outcome, StepReport } from '../step/step.js';

/** What a step did, a line for each proposer; for a dry run what it would do. */
export function reportLines(
  { outcomes, warnings }: StepReport,
  describe: (outcome: Outcome) => string,
  { dryRun = false }: Manner,
): string[] {
  return [
    ...warnings.map((warning) => `FORCED although ${warning}`),
    ...outcomes.map((outcome) => (dryRun && outcome.changed ? `would be done: ${describe(outcome)}` : describe(outcome))),
  ];
}
