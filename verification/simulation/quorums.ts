import type { Configuration } from '../../src/protocol/configuration.js';
import { acceptorName } from './node-names.js';

/** How many acceptors a run begins with, and how many of them it takes to prepare and to accept. */
export interface Quorums {
  readonly acceptors: number;
  readonly prepare: number;
  readonly accept: number;
}

/** Prepare and accept quorums of different sizes that meet: the larger phase is the rarer one in the first two. */
export const FLEXIBLE: readonly Quorums[] = [
  { acceptors: 4, prepare: 3, accept: 2 },
  { acceptors: 5, prepare: 4, accept: 2 },
  { acceptors: 4, prepare: 2, accept: 3 },
  { acceptors: 3, prepare: 1, accept: 3 },
  { acceptors: 3, prepare: 3, accept: 1 },
];

export function majority(acceptors: number): Quorums {
  const quorum = Math.floor(acceptors / 2) + 1;
  return { acceptors, prepare: quorum, accept: quorum };
}

export function configurationOf({ acceptors, prepare, accept }: Quorums): Configuration {
  const nodes = Array.from({ length: acceptors }, (_, index) => acceptorName(index + 1));
  const identities = Object.fromEntries(nodes.map((name) => [name, `${name}#0`]));
  return { era: 1, prepare: { nodes, quorum: prepare }, accept: { nodes, quorum: accept }, identities };
}
