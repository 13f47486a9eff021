import { type Recorded, recordedOf, Recording } from '../../verification/pictures/recording.js';
import { run as simulate } from '../../verification/simulation/run.js';
import { settingsFor } from '../../verification/simulation/settings.js';
import type { Run } from './run.js';

/** The one that was recorded last: to go back in it begins it again, and does not record it again. */
let latest: { readonly name: string; readonly recorded: Promise<Recorded> } | undefined;

/** A run of the simulation of which so many lines have happened. Throws a `TypeError` for another run. */
export async function recordedAt({ seed, simulated }: Run, at: number): Promise<Recording> {
  if (!simulated) throw new TypeError('no run of the simulation');
  const name = JSON.stringify([seed, simulated]);
  if (latest?.name !== name)
    latest = { name, recorded: simulate(settingsFor(seed, simulated), { trace: true }).then((report) => recordedOf(report, simulated)) };
  const recording = new Recording(await latest.recorded);
  await recording.go(at);
  return recording;
}
