import { UnfitAcceptor } from '../../src/protocol/errors.js';
import { type Addresses, parseAddress } from '../../src/node/addresses.js';
import { AdminClient, answerTimeoutMs } from '../../src/http/client.js';
import { DEFAULT_LIMITS } from '../../src/store/limits.js';
import type { AcceptorAdmin } from '../../src/redis/acceptor-admin.js';
import { RedisAdmin } from '../../src/redis/redis-admin.js';
import { RedisClusterAdmin } from '../../src/redis/redis-cluster-admin.js';
import type { RedisAccess } from '../../src/redis/redis-connection.js';
import { otherScheme } from './other-scheme.js';

/** A proposer's configuration port. */
export type ProposerAdmin = Omit<AdminClient, 'metrics' | 'configurations' | 'acceptors' | 'rights' | 'watch' | 'watched' | 'unwatch'> &
  Partial<Pick<AdminClient, 'acceptors' | 'rights'>>;

/** How the control node reaches the others, by their names. */
export interface Connections {
  proposer(name: string): ProposerAdmin;
  acceptor(name: string): AcceptorAdmin;
}

/** The same, with what only the page asks for. */
export interface WatchedConnections extends Connections {
  proposer(name: string): AdminClient;
  acceptor(name: string): AcceptorAdmin & Pick<RedisAdmin, 'register'> & Hasty;
}

interface Hasty {
  /** As `connect`, and rejects at once where the acceptor says that it still reads its file: a command waits a little, it may be done in a moment. */
  connectUnlessLoading(): Promise<void>;
}

/** Of a proposer's admin port. */
export const adminName = (proposer: string): string => `${proposer}:8090`;

/** To connect to an acceptor, and for each command to it; more where the proposers are given more. */
const ACCEPTOR_TIMEOUT_MS = 2_000;

/**
 * @param access to the acceptors
 * @param token of the proposers' admin ports
 * @param limits those of the proposers
 */
export function overNetwork(addresses: Addresses, access?: RedisAccess, token?: string, limits = DEFAULT_LIMITS): WatchedConnections {
  const timeoutMs = Math.max(ACCEPTOR_TIMEOUT_MS, 2 * limits.acceptorTimeoutMs);
  return {
    proposer: (name) => new AdminClient(addresses(adminName(name)), token, answerTimeoutMs(limits)),
    acceptor: (name) => {
      const address = addresses(name);
      const Admin = parseAddress(address).isCluster ? PunctualRedisClusterAdmin : PunctualRedisAdmin;
      return new Admin(address, timeoutMs, access);
    },
  };
}

class PunctualRedisAdmin extends RedisAdmin {
  override async connect(): Promise<void> {
    try {
      await punctually(super.connect(), this.timeoutMs, this.loading);
    } catch (error) {
      const { tls } = parseAddress(this.address);
      const why = error instanceof UnfitAcceptor || !(tls || this.hungUp) ? undefined : await otherScheme(this.address);
      throw why === undefined ? error : new UnfitAcceptor(why, {}, error);
    }
  }

  connectUnlessLoading(): Promise<void> {
    return Promise.race([this.connect(), this.loading.then(() => Promise.reject(stillLoading()))]);
  }
}

class PunctualRedisClusterAdmin extends RedisClusterAdmin {
  override connect(): Promise<void> {
    return punctually(super.connect(), this.timeoutMs);
  }

  /** Its nodes do not say that they do. */
  connectUnlessLoading(): Promise<void> {
    return this.connect();
  }
}

/**
 * ioredis by itself waits for several time-outs, one after the other, for a server that was stopped, and says no more than "closed".
 * @param loading resolves if it says that it still reads its file
 */
async function punctually(connecting: Promise<void>, timeoutMs: number, loading?: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const seen = { isLoading: false };
  void loading?.then(() => (seen.isLoading = true));
  const impatience = new Promise((_resolve, reject) => (timer = setTimeout(reject, timeoutMs)));
  try {
    await Promise.race([connecting, impatience]);
  } catch (error) {
    if (error instanceof UnfitAcceptor) throw error;
    throw seen.isLoading ? stillLoading(error) : new Error('it does not answer', { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

function stillLoading(cause?: unknown): UnfitAcceptor {
  return new UnfitAcceptor('LOADING, it still reads its file. Wait until it has', {}, cause);
}

/** Whether an acceptor answered that it still reads its file. */
export function saysLoading(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('LOADING');
}
