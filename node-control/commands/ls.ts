import type { Nodes } from '../nodes/nodes.js';

/** Names every node that the other commands take. */
export function ls(nodes: Nodes): string[] {
  return [...nodes.members.map(({ name }) => name), ...nodes.acceptors];
}
