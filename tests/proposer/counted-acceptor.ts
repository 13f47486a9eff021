import type { Counts } from '../../proposer/counts.js';
import type { Acceptor } from '../../src/protocol/acceptor.js';

/** The acceptor as the store sees it, with its calls counted. */
export function countedBy(counts: Counts, name: string, acceptor: Acceptor): Acceptor {
  const nothing = (): undefined => undefined;
  const connect = (): Promise<void> => Promise.resolve();
  const pool = { get: () => acceptor, introduce: nothing, assertName: nothing, connect, retain: nothing, close: nothing };
  return counts.acceptors(pool).get(name);
}
