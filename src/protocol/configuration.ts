import { nodesOf, type QuorumSet } from './quorum.js';

/**
 * Whom a proposer asks. The two sets differ only in the middle of a membership change (paper, section 2.3).
 * Acceptors go by their logical names, `host:port`.
 */
export interface Configuration {
  /** One number for the whole cluster, raised with every change; it leads every ballot. */
  readonly era: number;
  readonly prepare: QuorumSet;
  readonly accept: QuorumSet;
  /** By name, who the acceptors are: an address may come to belong to another one, or to one that lost its data. One without is not checked. */
  readonly identities?: Readonly<Record<string, string>>;
  /** Accept sets, of identities, with a quorum that a value may still rest on: those in use since before the last complete rescan. */
  readonly resting?: readonly QuorumSet[];
  /** The last steps that were forced, in words, the latest one last. */
  readonly forced?: readonly string[];
}

/** What a proposer starts with, and returns to by `wipe`: it refuses every operation. */
export const EMPTY_CONFIGURATION: Configuration = { era: 0, prepare: { nodes: [], quorum: 0 }, accept: { nodes: [], quorum: 0 } };

/** Whether a proposer with this configuration can run a round. */
export function isConfigured({ prepare, accept }: Configuration): boolean {
  return prepare.nodes.length > 0 && accept.nodes.length > 0;
}

/** Every acceptor of either set, each once. */
export function acceptorsOf({ prepare, accept }: Configuration): readonly string[] {
  return nodesOf([prepare, accept]);
}
