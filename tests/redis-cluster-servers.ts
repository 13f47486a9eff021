import { Redis } from 'ioredis';
import { freePort, RedisServer } from './redis-server.js';

const SLOTS = 16_384;
/** A node that is silent for longer counts as failed; its cluster then serves nothing. */
const NODE_TIMEOUT_MS = 1_500;
const FORM_TIMEOUT_MS = 30_000;

/** A Redis Cluster of masters without replicas, on loopback: each node as the cluster runs an acceptor, in cluster mode. */
export class RedisClusterServers {
  readonly nodes: RedisServer[] = [];
  readonly #args: string[][] = [];
  readonly #moreArgs: readonly string[];

  private constructor(moreArgs: readonly string[]) {
    this.#moreArgs = moreArgs;
  }

  /** @param moreArgs for each node, as for `RedisServer.start` */
  static async start(count = 3, moreArgs: readonly string[] = []): Promise<RedisClusterServers> {
    const cluster = new RedisClusterServers(moreArgs);
    try {
      for (let index = 0; index < count; index += 1) await cluster.addNode();
      for (const [index, node] of cluster.nodes.entries()) {
        const first = Math.floor((index * SLOTS) / count);
        const last = Math.floor(((index + 1) * SLOTS) / count) - 1;
        await cluster.ask(node, 'CLUSTER', 'ADDSLOTSRANGE', first, last);
      }
      await cluster.settled();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** As an acceptor's address names it. */
  get address(): string {
    return `redis+cluster://${this.node(0).address}`;
  }

  node(index: number): RedisServer {
    const node = this.nodes[index];
    if (!node) throw new Error(`there is no node ${index}`);
    return node;
  }

  /** A further node, without slots, that the others know. */
  async addNode(): Promise<RedisServer> {
    const port = await freePort();
    const mode = ['--cluster-enabled', 'yes', '--cluster-port', String(port), '--cluster-node-timeout', String(NODE_TIMEOUT_MS)];
    const args = [...mode, ...this.#moreArgs];
    const node = await RedisServer.start(args);
    this.nodes.push(node);
    this.#args.push(args);
    await this.ask(node, 'CLUSTER', 'SET-CONFIG-EPOCH', this.nodes.length);
    if (node !== this.node(0)) await this.ask(this.node(0), 'CLUSTER', 'MEET', '127.0.0.1', node.port, port);
    return node;
  }

  /** Starts a node again that was killed. */
  async restart(index: number): Promise<void> {
    await this.node(index).start(this.#args[index]);
  }

  /** Runs a command on one node, on a connection of its own. */
  async ask(node: RedisServer, command: string, ...args: (string | number)[]): Promise<unknown> {
    const redis = new Redis({ host: '127.0.0.1', port: node.port, maxRetriesPerRequest: null });
    redis.on('error', () => undefined);
    try {
      return await redis.call(command, ...args);
    } finally {
      redis.disconnect();
    }
  }

  async idOf(node: RedisServer): Promise<string> {
    return String(await this.ask(node, 'CLUSTER', 'MYID'));
  }

  /** Waits until all nodes know all, and serve. */
  async settled(): Promise<void> {
    const giveUpAt = Date.now() + FORM_TIMEOUT_MS;
    const isSettled = async (node: RedisServer): Promise<boolean> => {
      const info = String(await this.ask(node, 'CLUSTER', 'INFO'));
      const known = String(await this.ask(node, 'CLUSTER', 'NODES')).match(/connected/g)?.length ?? 0;
      return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${this.nodes.length}`) && known >= this.nodes.length;
    };
    for (;;) {
      const all = await Promise.all(this.nodes.map(isSettled));
      if (all.every(Boolean)) return;
      if (Date.now() > giveUpAt) throw new Error(`the nodes did not become a Redis Cluster in ${FORM_TIMEOUT_MS} ms`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }
}
