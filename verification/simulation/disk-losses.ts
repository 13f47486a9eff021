import { identified } from '../../node-control/safety/guard.js';
import type { Configuration } from '../../src/protocol/configuration.js';
import { containsQuorum, type QuorumSet } from '../../src/protocol/quorum.js';
import type { AcceptorNode } from './acceptor-node.js';
import type { ProposerNode } from './proposer-node.js';

/**
 * Whether an acceptor can lose its data and the cluster still go on: of every set in use that lists it, the others are enough for a quorum,
 * and of every set that a value may rest on, the others are enough to find it. Those that have lost theirs before do not count.
 */
export function isSpare(acceptor: AcceptorNode, acceptors: readonly AcceptorNode[], proposers: readonly ProposerNode[]): boolean {
  const others = new Set(acceptors.filter((other) => other !== acceptor).map(({ identity }) => identity));
  const has = ({ nodes }: QuorumSet): boolean => nodes.some((node) => node === acceptor.identity || node === acceptor.name);
  const left = ({ nodes }: QuorumSet): number => nodes.filter((node) => others.has(node)).length;
  return proposers.every(
    ({ configuration }) =>
      [identified(configuration.prepare, configuration), identified(configuration.accept, configuration)].every(
        (set) => !has(set) || left(set) >= set.quorum,
      ) && (configuration.resting ?? []).every((set) => !has(set) || left(set) + set.quorum > set.nodes.length),
  );
}

/**
 * Whether a proposer that came back with this configuration would be told that it had a later one, before a quorum serves it: some acceptor of it was told the
 * later era, and each of its quorums has one that was, or that is another one by now.
 */
export function isKnownToBeOld(
  { era, prepare, accept, identities }: Configuration,
  proposer: number,
  acceptors: readonly AcceptorNode[],
): boolean {
  const meant = acceptors.filter(
    ({ name, identity }) => identity === identities?.[name] && [...prepare.nodes, ...accept.nodes].includes(name),
  );
  const unaware = meant.filter(({ memory }) => (memory.eras?.get(proposer) ?? 0) <= era);
  const names = unaware.map(({ name }) => name);
  return unaware.length < meant.length && !containsQuorum(prepare, names) && !containsQuorum(accept, names);
}
