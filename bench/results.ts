import type { PauseFigures, StoppedFigures } from './faults.js';
import type { KeysFigures } from './million-keys.js';
import type { RegionFigures } from './wan.js';
import type { PageFigures } from './page-cost.js';
import type { Machine, Versions } from './machine.js';
import type { CaseFigures } from './rounds.js';

/** All that a run found out. */
export interface Results {
  readonly machine: Machine;
  readonly versions: Versions;
  readonly rounds: number;
  readonly seconds: number;
  readonly cases: readonly CaseFigures[];
  readonly pauses: readonly PauseFigures[];
  readonly stopped: readonly StoppedFigures[];
  readonly wan?: readonly RegionFigures[];
  readonly keys?: KeysFigures;
  readonly page?: PageFigures;
}

/** The figures of several runs, on the machine and with the versions of the first. */
export function together([first, ...others]: readonly [Results, ...Results[]]): Results {
  return others.reduce(
    (sum, { cases, pauses, stopped, wan, keys, page }) => ({
      ...sum,
      cases: [...sum.cases, ...cases],
      pauses: [...sum.pauses, ...pauses],
      stopped: [...sum.stopped, ...stopped],
      ...(wan && { wan }),
      ...(keys && { keys }),
      ...(page && { page }),
    }),
    first,
  );
}
