import { type Addresses, parseAddress, readAddresses, splitAddress } from '../../src/node/addresses.js';
import { readRedisAccess, readSecret } from '../../src/redis/redis-connection.js';
import { readLimits } from '../../src/store/limits.js';
import { Nodes } from './nodes.js';
import { namesIn } from '../safety/typed-step.js';
import { type HeldNotes, heldNotesIn } from './held-notes.js';
import { adminName, overNetwork, type WatchedConnections } from './connections.js';
import { isListening } from './listening.js';
import { CollectionFile } from '../state/collection-notes.js';
import { takeTurn } from '../state/turn.js';
import { RescanFile } from '../state/rescan-notes.js';
import { reasonOf } from '../safety/objection.js';

/** The nodes by name, acceptors with their port, and how they are reached. */
export interface NodeSettings {
  readonly proposers: readonly string[];
  readonly acceptors: readonly string[];
  readonly connections: WatchedConnections;
  readonly addresses: Addresses;
  readonly heldNotes?: HeldNotes | undefined;
}

/** What the environment says. Throws an `Error` that names the variable that is wrong. */
export function settingsFrom(environment: NodeJS.ProcessEnv): NodeSettings {
  const setting = <Value>(variable: string, read: (text: string | undefined) => Value): Value => {
    try {
      return read(environment[variable]);
    } catch (error) {
      throw new Error(`${variable}: ${reasonOf(error)}`, { cause: error });
    }
  };
  const access = readRedisAccess(environment);
  const token = readSecret(environment, 'ADMIN_TOKEN_FILE');
  const addresses = setting('ADDRESS_MAP', readAddresses);
  return {
    proposers: setting('PROPOSERS', (text) => {
      const names = hostsIn(text || 'proposer-1,proposer-2');
      for (const name of names) splitAddress(addresses(adminName(name)));
      return names;
    }),
    acceptors: setting('ACCEPTORS', (text) => {
      const names = namesIn(text || 'acceptor-1:6379,acceptor-2:6379,acceptor-3:6379');
      for (const name of names) parseAddress(addresses(name));
      return names;
    }),
    connections: overNetwork(addresses, access, token, readLimits(environment)),
    addresses,
    heldNotes: heldNotesIn(environment['HELD_NOTES']),
  };
}

/** The clients' `PROPOSERS` are with the port for clients: here it is another one. */
function hostsIn(text: string): string[] {
  const names = namesIn(text);
  const withPort = names.find((name) => name.includes(':'));
  if (withPort !== undefined)
    throw new TypeError(`proposers are named without a port here: "${withPort.replace(/:.*/, '')}", not "${withPort}".`);
  return names;
}

/** For the commands. Throws as {@link settingsFrom}. */
export function nodesFrom(environment: NodeJS.ProcessEnv): Nodes {
  const { proposers, acceptors, connections, addresses, heldNotes } = settingsFrom(environment);
  const folder = environment['STATE_DIR'];
  const own = folder ? { notes: new RescanFile(folder), collections: new CollectionFile(folder), takeTurn: () => takeTurn(folder) } : {};
  const listens = (name: string): Promise<boolean> => isListening(addresses(proposers.includes(name) ? adminName(name) : name));
  return new Nodes(proposers, acceptors, connections, undefined, { ...own, heldNotes, isListening: listens });
}
