import type { RunSettings } from './settings.js';
import { type Report, SimulatedWorld } from './world.js';

/**
 * Runs one world from start to end and checks what happened. The same settings give the same report.
 * @param options.silence whether a cluster that does not answer when all is mended violates anything
 */
export async function run(settings: RunSettings, { trace: isTraced = false, silence = true } = {}): Promise<Report> {
  const { stackTraceLimit } = Error;
  // In a simulated world errors are answers: nobody reads their stacks, and each takes time to write down.
  if (!isTraced) Error.stackTraceLimit = 0;
  try {
    const world = new SimulatedWorld(settings, isTraced);
    await world.time.run(world.live());
    return world.report(silence);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
