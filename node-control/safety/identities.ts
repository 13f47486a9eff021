import { acceptorsOf, type Configuration } from '../../src/protocol/configuration.js';

/** Who the acceptors are that any configuration lists: by the one of the latest era, for the others were left behind. */
export function knownIdentities(configurations: readonly Configuration[]): Record<string, string> {
  const latestLast = [...configurations].sort((a, b) => a.era - b.era);
  return Object.fromEntries(latestLast.flatMap(listedIdentities));
}

/** A step that was interrupted leaves identities of acceptors that its proposer does not list: they belong to nobody. */
export function listedIdentities(configuration: Configuration): [name: string, identity: string][] {
  const listed = acceptorsOf(configuration);
  return Object.entries(configuration.identities ?? {}).filter(([name]) => listed.includes(name));
}
