import { hash } from 'node:crypto';

/**
 * The node for a key, by rendezvous hashing: each node has a number for each key, and the highest wins. Everybody who knows the names comes to
 * the same answer, keys are spread evenly, and where a node drops out only its own keys go elsewhere, each to the next in its own order.
 *
 * @returns undefined where there are no candidates
 */
export function preferred<Node extends { readonly name: string }>(key: string, candidates: readonly Node[]): Node | undefined {
  let best: { node: Node; score: string } | undefined;
  for (const node of candidates) {
    // A line break is in no name: no two pairs of name and key are the same text.
    const score = hash('sha1', `${node.name}\n${key}`);
    if (!best || score > best.score) best = { node, score };
  }
  return best?.node;
}
