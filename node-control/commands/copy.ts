import { type Cluster, ControlError } from '../cluster.js';
import { step } from '../step.js';

/**
 * Gives proposers both sets of another one in a single step: for one that lost its folder, or is new. Building its sets up acceptor by
 * acceptor would let it run rounds on quorums that miss those of the others.
 */
export async function copy(cluster: Cluster, from: string, selection: string): Promise<string[]> {
  const [source, ...others] = cluster.select(from);
  if (!source || others.length > 0) throw new ControlError('copy takes the sets of one proposer, not of all');
  const outcomes = await step(cluster, cluster.select(selection), (present, all) => {
    const model = all.find(({ member }) => member === source)?.configuration ?? present;
    return { ...model, era: present.era };
  });
  return outcomes.map(({ name, after, changed }) => `${name}: ${changed ? 'now' : 'already'} with the sets of ${from} (era ${after.era})`);
}
