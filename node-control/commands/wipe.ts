import { EMPTY_CONFIGURATION } from '../../src/configuration.js';
import type { Cluster } from '../cluster.js';
import { step } from '../step.js';

/** Back to the empty configuration. The era goes on: it never returns to one that was used. */
export async function wipe(cluster: Cluster, selection: string): Promise<string[]> {
  const outcomes = await step(cluster, cluster.select(selection), ({ era }) => ({ ...EMPTY_CONFIGURATION, era }));
  return outcomes.map(({ name, after, changed }) => `${name}: ${changed ? 'now' : 'already'} without acceptors (era ${after.era})`);
}
