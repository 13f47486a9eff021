import type { Addresses } from '../src/addresses.js';
import { AdminClient } from '../src/http-client.js';
import { RedisAdmin } from '../src/redis-admin.js';

/** A proposer's configuration port. */
export type ProposerAdmin = Pick<AdminClient, keyof AdminClient>;

/** An acceptor as a whole. */
export type AcceptorAdmin = Pick<RedisAdmin, keyof RedisAdmin>;

/** How the control node reaches the others, by their names. */
export interface Connections {
  proposer(name: string): ProposerAdmin;
  acceptor(name: string): AcceptorAdmin;
}

const ADMIN_PORT = 8090;

/** To connect to an acceptor, and for each command to it. */
const ACCEPTOR_TIMEOUT_MS = 2_000;

export function overNetwork(addresses: Addresses): Connections {
  return {
    proposer: (name) => new AdminClient(addresses(`${name}:${ADMIN_PORT}`)),
    acceptor: (name) => new PunctualRedisAdmin(addresses(name), ACCEPTOR_TIMEOUT_MS),
  };
}

/** ioredis by itself waits for several time-outs, one after the other, for a server that was stopped, and says no more than "closed". */
class PunctualRedisAdmin extends RedisAdmin {
  override async connect(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const impatience = new Promise((_resolve, reject) => (timer = setTimeout(reject, ACCEPTOR_TIMEOUT_MS)));
    try {
      await Promise.race([super.connect(), impatience]);
    } catch (error) {
      throw new Error('it does not answer', { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }
}
