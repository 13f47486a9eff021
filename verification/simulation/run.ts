import type { RunSettings } from './settings.js';
import { withoutStacks } from './without-stacks.js';
import { type Report, SimulatedWorld } from './world.js';

/**
 * Runs one world from start to end and checks what happened. The same settings give the same report.
 * @param options.silence whether a cluster that does not answer when all is mended violates anything
 */
export async function run(settings: RunSettings, { trace: isTraced = false, silence = true } = {}): Promise<Report> {
  const live = async (): Promise<Report> => {
    const world = new SimulatedWorld(settings, isTraced);
    await world.time.run(world.live());
    return world.report(silence);
  };
  return isTraced ? live() : withoutStacks(live);
}
