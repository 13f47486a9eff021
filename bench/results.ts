import type { PauseFigures, StoppedFigures } from './faults.js';
import type { KeysFigures } from './million-keys.js';
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
  readonly keys?: KeysFigures;
}
