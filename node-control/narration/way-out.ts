import { acceptorsOf, isConfigured } from '../../src/protocol/configuration.js';
import { shortage } from '../step/absence.js';
import type { NamedConfiguration } from './now.js';
import { shortName } from './short-name.js';

/** A node that does not answer: it is dead, or it hangs. */
export interface Silent {
  readonly name: string;
  /** Whether somebody takes connections there. */
  readonly hangs: boolean;
}

export interface SilentNodes {
  readonly proposers: readonly Silent[];
  readonly acceptors: readonly Silent[];
}

/** What brings nodes back, as typed in `node-control/`. */
export interface WayOut {
  /** Without a full stop at the end. */
  readonly why: string;
  readonly commands: readonly string[];
}

/**
 * What to do first where the nodes that do not answer keep the others from serving, or from being changed; undefined where they do not.
 * @param told by the proposers that answer
 * @param broken acceptors that answer, and are not used: they do not help
 */
export function wayOut(told: readonly NamedConfiguration[], silent: SilentNodes, broken: readonly string[] = []): WayOut | undefined {
  const { proposers } = silent;
  if (told.length === 0) return proposers.length === 0 ? undefined : mending('Start one that does not run', proposers);
  const configurations = told.map(({ configuration }) => configuration).filter(isConfigured);
  const listed = new Set(configurations.flatMap(acceptorsOf));
  const acceptors = silent.acceptors.filter(({ name }) => listed.has(name));
  const lost = [...acceptors.map(({ name }) => name), ...broken];
  const missing = Math.max(0, ...configurations.flatMap(({ prepare, accept }) => [shortage(prepare, lost), shortage(accept, lost)]));
  if (missing > 0 && acceptors.length > 0) {
    const why = acceptors.length > 1 && missing === 1 ? 'No quorum answers. One of these is enough' : 'No quorum answers. What mends it';
    return mending(why, acceptors);
  }
  if (proposers.length === 0) return undefined;
  return mending('The sets can be changed again once every proposer answers', proposers);
}

/** The commands for the nodes of the demo; the others, which `fault.sh` does not know, are named in the words before. */
function mending(why: string, nodes: readonly Silent[]): WayOut {
  const isOurs = ({ name }: Silent): boolean => /^(acceptor-[123](:\d+)?|proposer-[12])$/.test(name);
  const others = nodes.filter((node) => !isOurs(node)).map(({ name }) => shortName(name));
  const commands = nodes.filter(isOurs).map(({ name, hangs }) => `./fault.sh ${hangs ? 'resume' : 'start'} ${shortName(name)}`);
  return { why: others.length === 0 ? why : `${why}: start ${others.join(', ')}`, commands };
}
