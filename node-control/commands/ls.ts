import type { Cluster } from '../nodes/nodes.js';

/** Names every node that the other commands take. */
export function ls(cluster: Cluster): string[] {
  return [...cluster.members.map(({ name }) => name), ...cluster.acceptors];
}
