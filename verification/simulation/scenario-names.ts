export const SCENARIOS = [
  'majority',
  'flexible',
  'migration',
  'quiet migration',
  'stepwise migration',
  'stepwise quorums',
  'resize',
  'stepwise resize',
  'any commands',
  'collections',
  'stepwise collections',
] as const;
/** Those that only who names them gets: with these among the others every seed would be another run. */
export const NAMED_SCENARIOS = [...SCENARIOS, 'old disks', 'old folders'] as const;
export type ScenarioName = (typeof NAMED_SCENARIOS)[number];
