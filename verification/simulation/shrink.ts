import { run } from './run.js';
import type { Report } from './world.js';
import { FAULTS, type Overrides, settingsFor } from './settings.js';

/** How many runs to spend on it. */
const RUNS = 300;

/**
 * Looks for a smaller run of the same seed that still shows a fault: fewer operations, fewer kinds of faults.
 * @returns the smallest one found, traced, and what tells it from the whole run
 */
export async function shrink(seed: number, overrides: Overrides): Promise<{ report: Report; overrides: Overrides }> {
  let runs = 0;
  const fails = async (candidate: Overrides): Promise<boolean> => {
    runs += 1;
    return (await run(settingsFor(seed, candidate))).violations.length > 0;
  };
  let best = overrides;
  const fewerOperations = async (): Promise<void> => {
    let failing = settingsFor(seed, best).stopAfter;
    let step = Math.ceil(failing / 2);
    // A run stopped earlier need not fail although a shorter one does: halves first, then one by one.
    while (step >= 1 && runs < RUNS) {
      const stopAfter = failing - step;
      if (stopAfter >= 0 && (await fails({ ...best, stopAfter }))) {
        failing = stopAfter;
        best = { ...best, stopAfter };
      } else if (step === 1) return;
      else step = Math.ceil(step / 2);
    }
  };
  await fewerOperations();
  for (const fault of FAULTS) {
    const without = [...(best.without ?? []), fault];
    if (runs < RUNS && !best.without?.includes(fault) && (await fails({ ...best, without }))) best = { ...best, without };
  }
  await fewerOperations();
  return { report: await run(settingsFor(seed, best), { trace: true }), overrides: best };
}
