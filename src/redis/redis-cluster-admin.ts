import { UnfitAcceptor } from '../protocol/errors.js';
import type { AcceptorAdmin } from './acceptor-admin.js';
import { identityKey, type ClusterLayout, layoutFrom } from './cluster-layout.js';
import type { Acquaintance, Fitness } from './fitness.js';
import { joinIdentities, RedisAdmin } from './redis-admin.js';
import type { RedisAccess } from './redis-connection.js';
import { SLOTS } from './slot.js';

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

class NodeAdmin extends RedisAdmin {
  declare readonly address: string;
  readonly layout = (): Promise<ClusterLayout> => layoutFrom(this.redis, this.address);
}

/** As `RedisAdmin`, for all nodes of a Redis Cluster together. */
export class RedisClusterAdmin implements AcceptorAdmin {
  readonly #seed: NodeAdmin;
  readonly #open: (owner: ClusterLayout['owners'][number]) => NodeAdmin;
  #nodes: NodeAdmin[] = [];
  readonly #each = <Result>(ask: (node: NodeAdmin) => Promise<Result>): Promise<Result[]> => Promise.all(this.#nodes.map(ask));

  /** @param address of one node, which leads to the others */
  constructor(address: string, timeoutMs: number, access: RedisAccess = {}) {
    this.#seed = new NodeAdmin(address, timeoutMs, access, { identity: [], others: [] });
    this.#open = (owner) => new NodeAdmin(owner.address, timeoutMs, access, { identity: owner.slots.map(identityKey), others: [] });
  }

  /** Rejects with {@link UnfitAcceptor} if the cluster has replicas, or not all slots a node. */
  async connect(): Promise<void> {
    await this.#seed.connect();
    const { owners } = await this.#seed.layout();
    const uncovered = SLOTS - sum(owners.map(({ slots }) => slots.length));
    if (uncovered > 0) throw new UnfitAcceptor(`no node of this Redis Cluster serves ${uncovered} of its ${SLOTS} slots`);
    this.#nodes = owners.map(this.#open);
    await this.#each((node) => node.connect());
  }

  /**
   * Rejects also if a slot changed hands since the connection was opened, or does so meanwhile: some keys may then have slipped from a node that
   * was to be listed to one that was, or to one that is not known here.
   */
  async *keys(): AsyncGenerator<string[]> {
    const selves = async (): Promise<ClusterLayout['self'][]> => (await this.#each((node) => node.layout())).map(({ self }) => self);
    const textOf = (nodes: readonly ClusterLayout['self'][]): string => nodes.map((self) => self?.text).join('\n');
    const before = await selves();
    for (const node of this.#nodes) yield* node.keys();
    const after = await selves();
    const isWhole = sum(after.map((self) => self?.slots.length ?? 0)) === SLOTS;
    if (textOf(before) !== textOf(after) || textOf(after).includes('[') || !isWhole)
      throw new Error('slots of this Redis Cluster are moving');
  }

  readonly fitness = async (known: Acquaintance): Promise<Fitness> => {
    const ofNode = async (node: NodeAdmin): Promise<Fitness> => {
      const { flaws, cautions } = await node.fitness(known);
      return { flaws: flaws.map((flaw) => ({ ...flaw, value: `${flaw.value} at ${node.address}` })), cautions };
    };
    const nodes = await this.#each(ofNode);
    return { flaws: nodes.flatMap(({ flaws }) => flaws), cautions: [...new Set(nodes.flatMap(({ cautions }) => cautions))] };
  };
  readonly size = async (): Promise<number> => sum(await this.#each((node) => node.size()));
  /** Only the node that has its slot answers. */
  readonly register: RedisAdmin['register'] = (key) => Promise.any(this.#nodes.map((node) => node.register(key)));
  readonly highestEra = async (): Promise<number> => Math.max(...(await this.#each((node) => node.highestEra())));
  readonly identity = async (): Promise<string | undefined> => joinIdentities(await this.#each((node) => node.identity()));
  readonly wipe: RedisAdmin['wipe'] = async (whose) => sum(await this.#each((node) => node.wipe(whose)));

  /** Node after node: of two who do this at once, both end with what the first node was given. */
  async adopt(identity: string): Promise<string> {
    if ((await this.identity())?.includes('|')) throw new UnfitAcceptor('a node of it lost its data, or was not reached: wipe it first');
    let given = identity;
    for (const node of this.#nodes) given = await node.adopt(given);
    return given;
  }

  close(): void {
    for (const node of [this.#seed, ...this.#nodes]) node.close();
  }
}
