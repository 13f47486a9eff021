import { readAddresses } from '../src/addresses.js';
import { readRedisAccess, readSecret } from '../src/redis-connection.js';
import { Cluster } from './cluster.js';
import { overNetwork } from './connections.js';
import { RescanFile } from './rescan-notes.js';

/** The cluster that the environment describes. Throws an `Error` that names the variable that is wrong. */
export function clusterFrom(environment: NodeJS.ProcessEnv): Cluster {
  const setting = <Value>(variable: string, read: (text: string | undefined) => Value): Value => {
    try {
      return read(environment[variable]);
    } catch (error) {
      throw new Error(`${variable}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  };
  const access = readRedisAccess(environment);
  const token = readSecret(environment, 'ADMIN_TOKEN_FILE');
  return new Cluster(
    setting('PROPOSERS', (text) => namesIn(text || 'proposer-1,proposer-2')),
    setting('ACCEPTORS', (text) => namesIn(text || 'acceptor-1:6379,acceptor-2:6379,acceptor-3:6379')),
    setting('ADDRESS_MAP', (text) => overNetwork(readAddresses(text), access, token)),
    undefined,
    { notes: setting('STATE_DIR', (folder) => (folder ? new RescanFile(folder) : undefined)) },
  );
}

/** Names with commas between. Throws where one is empty or given twice. */
export function namesIn(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('') || new Set(names).size < names.length) throw new Error('It must be names with commas between, each once.');
  return names;
}
