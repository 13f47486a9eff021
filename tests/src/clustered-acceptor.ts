import { afterAll, afterEach, beforeAll, expect, onTestFinished, vi } from 'vitest';
import type { Ballot } from '../../src/protocol/ballot.js';
import type { LinkState } from '../../src/redis/link-options.js';
import { RedisClusterAdmin } from '../../src/redis/redis-cluster-admin.js';
import { RedisClusterAcceptor } from '../../src/redis/redis-cluster.js';
import { RedisClusterServers } from '../redis-cluster-servers.js';

export const TIMEOUT_MS = 1_000;
/** A node that was started again waits for some seconds before it serves. */
export const HANG_MS = 20_000;
export const ME = 'acceptor-1:6379#me';
export const KEYS = Array.from({ length: 200 }, (_, index) => `key ${index}`);
export const b = (counter: number, era = 1): Ballot => ({ era, counter, proposer: 1, incarnation: 1 });

export async function becomes(acceptor: RedisClusterAcceptor, state: LinkState): Promise<void> {
  await vi.waitFor(() => expect(acceptor.state).toBe(state), { timeout: HANG_MS, interval: 10 });
}

/** A Redis Cluster of three for the tests of a block, and an acceptor made of it. */
export class ClusteredAcceptor {
  #servers: RedisClusterServers | undefined;
  readonly #opened: RedisClusterAcceptor[] = [];

  /** @param identity that it has from the start; none: it has not joined yet */
  constructor(identity?: string) {
    beforeAll(async () => {
      this.#servers = await RedisClusterServers.start();
      if (identity === undefined) return;
      const admin = new RedisClusterAdmin(this.servers.address, TIMEOUT_MS);
      await admin.connect();
      await admin.adopt(identity);
      admin.close();
    });
    afterEach(() => {
      for (const acceptor of this.#opened.splice(0)) acceptor.close();
    });
    afterAll(() => this.#servers?.stop());
  }

  get servers(): RedisClusterServers {
    if (!this.#servers) throw new Error('it was not started yet');
    return this.#servers;
  }

  /** Connects to it, for one test. */
  open(identity?: string): { acceptor: RedisClusterAcceptor; states: LinkState[] } {
    const states: LinkState[] = [];
    // A server that has just started may be asked while it still reads its file, or not.
    const onState = (state: LinkState): unknown => state !== 'loading' && states.push(state);
    const acceptor = new RedisClusterAcceptor({ address: this.servers.address, identity, timeoutMs: TIMEOUT_MS, onState });
    this.#opened.push(acceptor);
    return { acceptor, states };
  }

  async ready(identity?: string): Promise<RedisClusterAcceptor> {
    const { acceptor } = this.open(identity);
    await becomes(acceptor, 'ready');
    return acceptor;
  }

  /** Looks at it as the control node does, for one test. */
  async admin(): Promise<RedisClusterAdmin> {
    const admin = new RedisClusterAdmin(this.servers.address, TIMEOUT_MS);
    onTestFinished(() => admin.close());
    await admin.connect();
    return admin;
  }

  /** An accepted value for each of the keys. */
  async fill(acceptor: RedisClusterAcceptor, counter = 1): Promise<void> {
    await Promise.all(KEYS.map((key) => acceptor.accept(key, b(counter), `of ${key}`, b(counter + 1))));
  }

  /** The place of the node that owns the register of a key. */
  async ownerOf(key: string): Promise<number> {
    for (const [index, node] of this.servers.nodes.entries()) {
      const reply = await this.servers.ask(node, 'EXISTS', `r:${key}`).catch(() => undefined);
      if (reply !== undefined) return index;
    }
    throw new Error('no node owns it');
  }
}
