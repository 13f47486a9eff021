import { parseConfiguration } from '../../src/store/parse-configuration.js';
import { type Configuration, EMPTY_CONFIGURATION } from '../../src/protocol/configuration.js';
import type { QuorumSet } from '../../src/protocol/quorum.js';

/** The nodes that a line like `acceptors=3 prepare=2 accept=2:a1,a2` asks for. */
export interface ClusterText {
  readonly acceptors: readonly string[];
  readonly proposers: number;
  /** What every proposer starts with. */
  readonly configuration: Configuration;
}

/**
 * From `acceptors=3 prepare=2 accept=2:a1,a2`. Without sets, the proposers are not configured; without `identities=yes` nobody looks who the
 * acceptors are before one joins.
 * @throws TypeError for a setting that is not known, no number, or more nodes than can be drawn
 */
export function parseCluster(text: string): ClusterText {
  const settings = new Map(text.split(' ').map((setting) => setting.split('=', 2) as [string, string]));
  const take = (name: string): string | undefined => {
    const value = settings.get(name);
    settings.delete(name);
    return value;
  };
  const acceptors = Array.from({ length: nodeCount(take('acceptors')) }, (_, index) => `a${index + 1}`);
  const proposers = nodeCount(take('proposers') ?? '2');
  const era = wholeNumber(take('era') ?? '1');
  const [prepare, accept] = [take('prepare'), take('accept')];
  // As those that joined: the control node counts the identities that it gives from 1.
  const identities = take('identities') === 'yes' && { identities: Object.fromEntries(acceptors.map((name) => [name, `${name}#0`])) };
  if (settings.size > 0) throw new TypeError(`unknown setting of a cluster: ${[...settings.keys()].join(' ')}`);
  const configuration: Configuration =
    prepare && accept
      ? parseConfiguration({ era, prepare: parseSet(prepare, acceptors), accept: parseSet(accept, acceptors), ...identities })
      : EMPTY_CONFIGURATION;
  return { acceptors, proposers, configuration };
}

/** From `2`, of all acceptors, or `2:a1,a2`. */
function parseSet(text: string, all: readonly string[]): QuorumSet {
  const [quorum, names] = text.split(':', 2);
  return { nodes: names?.split(',') ?? all, quorum: wholeNumber(quorum) };
}

/** An address of the playground may say anything, and must not make more than can be drawn. */
function nodeCount(text: string | undefined): number {
  const count = wholeNumber(text);
  if (count > 9) throw new TypeError('nine nodes of a kind at most');
  return count;
}

function wholeNumber(text: string | undefined): number {
  if (!text || !/^\d+$/.test(text)) throw new TypeError(`not a whole number: ${text}`);
  return Number(text);
}
