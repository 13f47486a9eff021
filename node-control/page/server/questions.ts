import type { DatedConfiguration } from '../../../src/http/client.js';
import type { Floor } from '../../../src/protocol/acceptor.js';
import type { Configuration } from '../../../src/protocol/configuration.js';
import { flawText } from '../../../src/redis/fitness.js';
import { memoryText } from '../../../src/redis/memory-use.js';
import type { WatchedConnections } from '../../nodes/connections.js';
import type { Scrape } from './rates.js';

/** What a proposer tells of itself. */
export interface ProposerAnswer extends Scrape {
  readonly configuration: Configuration;
  readonly history: readonly DatedConfiguration[];
}

/** What an acceptor tells of itself. */
export interface AcceptorAnswer {
  readonly keys: number;
  readonly identity: string | undefined;
  /** Undefined if nothing was collected yet. */
  readonly floor?: Floor | undefined;
  readonly flaws: readonly string[];
  /** Where its memory is nearly full. */
  readonly memory?: string | undefined;
}

/** The returned function rejects if the proposer does not tell its configuration. */
export function askProposer(connections: WatchedConnections, name: string): () => Promise<ProposerAnswer> {
  const admin = connections.proposer(name);
  return async () => {
    const [history, metrics] = await Promise.all([admin.configurations(), admin.metrics()]);
    const present = history.ok ? history.body.at(-1) : undefined;
    if (!history.ok || !present || !metrics.ok) throw new Error(`${name} does not tell its configuration`);
    return { configuration: present.configuration, history: history.body, metrics: metrics.body, atMs: Date.now() };
  };
}

/** The returned function rejects if the acceptor does not answer. */
export function askAcceptor(connections: WatchedConnections, name: string): () => Promise<AcceptorAnswer> {
  return async () => {
    const admin = connections.acceptor(name);
    try {
      await admin.connectUnlessLoading();
      const [keys, identity, floor, fitness] = await Promise.all([
        admin.size(),
        admin.identity(),
        admin.floor(),
        admin.fitness?.('nothing'),
      ]);
      return {
        keys,
        identity,
        floor: floor.era > 0 ? floor : undefined,
        flaws: (fitness?.flaws ?? []).map(flawText),
        memory: memoryText(fitness?.memoryUsed),
      };
    } finally {
      admin.close();
    }
  };
}
