import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { randomFrom } from '../../../client/random.js';
import { PROPOSERS } from '../../../local/layout.js';
import { createApp } from '../../../proposer/http.js';
import { addKvRoutes } from '../../../proposer/kv-routes.js';
import { type Memory, MemoryAcceptor } from '../../../src/protocol/memory-acceptor.js';
import { AcceptorPool } from '../../../src/redis/acceptor-pool.js';
import type { Acceptors } from '../../../src/store/options.js';
import { memoryState } from '../../../src/store/memory.js';
import { Store } from '../../../src/store/store.js';
import { systemTime } from '../../../src/store/system-time.js';
import { Clients } from '../../../verification/chaos/clients.js';
import { Requests } from '../../../verification/chaos/requests.js';
import { checkHistory } from '../../../verification/checkers/check.js';
import { History } from '../../../verification/checkers/history.js';

const ACCEPTORS = ['a1', 'a2', 'a3'];
/** Of all answers: those that are lost on their way. */
const LOST_SHARE = 0.05;
const OPERATIONS = 700;
const POLL_MS = 10;

/** What a test does to the acceptors behind the product's back. */
export interface Sabotage {
  /**
   * Called before each request while the clients run, and once when they have ended, and no proposer remembers what it wrote: that would bring it back.
   * @param share of the run that is over, up to 1
   */
  readonly now?: (disks: readonly Memory[], history: History, share: number) => void;
}

/**
 * Lets the clients of the chaos run use the product: its proposers, with their HTTP interface, over acceptors in memory.
 * @param kind of the stores: the product's, or one that does something wrong
 * @returns the rules that were broken; and what no client can have been answered, in words
 */
export async function rulesBrokenBy(kind: typeof Store = Store, { now }: Sabotage = {}): Promise<string[]> {
  const random = randomFrom(1);
  const disks = ACCEPTORS.map((): Memory => ({ registers: new Map() }));
  const acceptors: Acceptors = { get: (name) => new MemoryAcceptor(disks[ACCEPTORS.indexOf(name)]) };
  const set = { nodes: ACCEPTORS, quorum: 2 };
  const history = new History(() => 0);
  const servers = new Map<string, Server>();
  const stores: Store[] = [];
  for (const [index, name] of PROPOSERS.entries()) {
    const store = new kind({ id: index + 1, state: memoryState(), acceptors });
    await store.reconfigure({ era: 1, prepare: set, accept: set }, 0);
    stores.push(store);
    const app = createApp(pino({ enabled: false }), (routes) => {
      routes.use((request, response, next) => {
        if (history.operations.length < OPERATIONS) now?.(disks, history, history.operations.length / OPERATIONS);
        if (random() < LOST_SHARE) response.end = () => (request.socket.destroy(), response);
        next();
      });
      addKvRoutes(routes, store, new AcceptorPool());
    });
    const server = createServer(app).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    servers.set(name, server);
  }
  const addressOf = (name: string): string => `127.0.0.1:${String((servers.get(name)?.address() as AddressInfo | undefined)?.port)}`;

  const requests = new Requests({ addressOf, history, time: systemTime, onOutcome: () => undefined });
  const clients = new Clients({ requests, time: systemTime, random });
  const stop = new AbortController();
  const impossible: string[] = [];
  const ended = clients.run(stop.signal).catch((error: unknown) => {
    impossible.push(String(error));
    stop.abort();
  });
  while (!stop.signal.aborted && history.operations.length < OPERATIONS) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  stop.abort();
  await ended;
  for (const store of stores) await store.reconfigure({ era: 2, prepare: set, accept: set }, 1);
  now?.(disks, history, 1);
  try {
    const { finals, untold } = await clients.finish(systemTime.nowMs() + 10_000);
    return [...impossible, ...untold, ...checkHistory(history, finals).map(({ rule }) => rule)];
  } catch (error) {
    return [...impossible, String(error)];
  } finally {
    await requests.close();
    for (const server of servers.values()) server.close();
  }
}
