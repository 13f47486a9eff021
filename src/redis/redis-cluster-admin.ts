import type { Floor } from '../protocol/acceptor.js';
import { UnfitAcceptor } from '../protocol/errors.js';
import type { AcceptorAdmin, Copied, Remains, Tombstone } from './acceptor-admin.js';
import { identityKey, type ClusterLayout, layoutFrom } from './cluster-layout.js';
import type { Acquaintance, Fitness } from './fitness.js';
import type { Holding } from './holding.js';
import { highestShare } from './memory-use.js';
import { floorKeyBeside, REGISTER_PREFIX } from './keys.js';
import { joinIdentities, RedisAdmin } from './redis-admin.js';
import type { RedisAccess } from './redis-connection.js';
import { SLOTS, slotOf } from './slot.js';

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

function grouped<Item, Group>(items: readonly Item[], groupOf: (item: Item) => Group): Map<Group, Item[]> {
  const groups = new Map<Group, Item[]>();
  for (const item of items) groups.set(groupOf(item), [...(groups.get(groupOf(item)) ?? []), item]);
  return groups;
}

const keyItself = (key: string): string => key;

class NodeAdmin extends RedisAdmin {
  declare readonly address: string;
  readonly layout = (): Promise<ClusterLayout> => layoutFrom(this.redis, this.address);
}

/** As `RedisAdmin`, for all nodes of a Redis Cluster together. */
export class RedisClusterAdmin implements AcceptorAdmin {
  protected readonly timeoutMs: number;
  readonly #seed: NodeAdmin;
  readonly #open: (owner: ClusterLayout['owners'][number]) => NodeAdmin;
  #nodes: NodeAdmin[] = [];
  readonly #owners: NodeAdmin[] = [];
  readonly #each = <Result>(ask: (node: NodeAdmin) => Promise<Result>): Promise<Result[]> => Promise.all(this.#nodes.map(ask));

  /** @param address of one node, which leads to the others */
  constructor(address: string, timeoutMs: number, access: RedisAccess = {}) {
    this.timeoutMs = timeoutMs;
    this.#seed = new NodeAdmin(address, timeoutMs, access, { identity: [], others: [] });
    this.#open = (owner) => new NodeAdmin(owner.address, timeoutMs, access, { identity: owner.slots.map(identityKey), others: [] });
  }

  /** Rejects with {@link UnfitAcceptor} if the cluster has replicas, or not all slots a node. */
  async connect(): Promise<void> {
    await this.#seed.connect();
    const { owners } = await this.#seed.layout();
    const uncovered = SLOTS - sum(owners.map(({ slots }) => slots.length));
    if (uncovered > 0) throw new UnfitAcceptor(`no node of this Redis Cluster serves ${uncovered} of its ${SLOTS} slots`);
    this.#nodes = owners.map((owner) => {
      const node = this.#open(owner);
      for (const slot of owner.slots) this.#owners[slot] = node;
      return node;
    });
    await this.#each((node) => node.connect());
  }

  /**
   * Rejects also if a slot changed hands since the connection was opened, or does so meanwhile: some keys may then have slipped from a node that
   * was to be listed to one that was, or to one that is not known here.
   */
  async *keys(): AsyncGenerator<string[]> {
    const before = await this.#selves();
    for (const node of this.#nodes) yield* node.keys();
    await this.#assertUnmovedSince(before);
  }

  readonly fitness = async (known: Acquaintance): Promise<Fitness> => {
    const ofNode = async (node: NodeAdmin): Promise<Fitness> => {
      const { flaws, ...rest } = await node.fitness(known);
      return { flaws: flaws.map((flaw) => ({ ...flaw, value: `${flaw.value} at ${node.address}` })), ...rest };
    };
    const nodes = await this.#each(ofNode);
    return {
      flaws: nodes.flatMap(({ flaws }) => flaws),
      cautions: [...new Set(nodes.flatMap(({ cautions }) => cautions))],
      memoryUsed: highestShare(nodes.map(({ memoryUsed }) => memoryUsed)),
    };
  };
  readonly size = async (): Promise<number> => sum(await this.#each((node) => node.size()));
  /** Only the node that has its slot answers. */
  readonly register: RedisAdmin['register'] = (key) => Promise.any(this.#nodes.map((node) => node.register(key)));
  readonly highestEra = async (): Promise<number> => Math.max(...(await this.#each((node) => node.highestEra())));
  readonly identity = async (): Promise<string | undefined> => joinIdentities(await this.#each((node) => node.identity()));
  readonly wipe: RedisAdmin['wipe'] = async (whose) => sum(await this.#each((node) => node.wipe(whose)));

  readonly floor = async (): Promise<Floor> => {
    const floors = await this.#each((node) => node.floor());
    return { era: Math.max(...floors.map(({ era }) => era)), version: Math.max(...floors.map(({ version }) => version)) };
  };

  /** Rejects also if a slot changed hands meanwhile: its floor may not have been raised. */
  async raiseFloor(floor: Floor): Promise<void> {
    const before = await this.#selves();
    await this.#each((node) => node.raiseFloor(floor));
    await this.#assertUnmovedSince(before);
  }

  readonly remains = (keys: readonly string[]): Promise<(Remains | undefined)[]> =>
    this.#byOwner(keys, keyItself, (node, own) => node.remains(own));
  readonly holdings = (keys: readonly string[]): Promise<Holding[]> => this.#byOwner(keys, keyItself, (node, own) => node.holdings(own));
  readonly accepted = (keys: readonly string[]): Promise<(Copied | undefined)[]> =>
    this.#byOwner(keys, keyItself, (node, own) => node.accepted(own));

  copy(era: number, registers: readonly Copied[]): Promise<string[]> {
    const floorKeyOf = (register: string): string => floorKeyBeside(identityKey(slotOf(register)));
    return this.#byOwner(
      registers,
      ({ key }) => key,
      (node, own) => node.copy(era, own, floorKeyOf),
    );
  }

  /** A command for each slot: a node refuses one that is about keys of several. */
  async erase(era: number, tombstones: readonly Tombstone[]): Promise<number> {
    const bySlot = grouped(tombstones, ({ key }) => slotOf(REGISTER_PREFIX + key));
    const eraseIn = ([slot, ofSlot]: [slot: number, ofSlot: readonly Tombstone[]]): Promise<number> =>
      this.#ownerOf(slot).eraseUnder(floorKeyBeside(identityKey(slot)), era, ofSlot);
    return sum(await Promise.all([...bySlot].map(eraseIn)));
  }

  /** Node after node: of two who do this at once, both end with what the first node was given. */
  async adopt(identity: string): Promise<string> {
    if ((await this.identity())?.includes('|')) throw new UnfitAcceptor('a node of it lost its data, or was not reached: wipe it first');
    let given = identity;
    for (const node of this.#nodes) given = await node.adopt(given);
    return given;
  }

  /** Asks each node about what is its own. @returns the answers in the order of the items */
  async #byOwner<Item, Answer>(
    items: readonly Item[],
    keyOf: (item: Item) => string,
    ask: (node: NodeAdmin, own: readonly Item[]) => Promise<Answer[]>,
  ): Promise<Answer[]> {
    const byNode = grouped([...items.keys()], (at) => this.#ownerOf(slotOf(REGISTER_PREFIX + keyOf(items[at] as Item))));
    const answers: Answer[] = [];
    const askOne = async ([node, places]: [node: NodeAdmin, places: readonly number[]]): Promise<void> => {
      const own = await ask(
        node,
        places.map((at) => items[at] as Item),
      );
      for (const [index, at] of places.entries()) answers[at] = own[index] as Answer;
    };
    await Promise.all([...byNode].map(askOne));
    return answers;
  }

  #ownerOf(slot: number): NodeAdmin {
    const owner = this.#owners[slot];
    if (!owner) throw new Error('no node of this Redis Cluster is known to serve the key');
    return owner;
  }

  async #selves(): Promise<ClusterLayout['self'][]> {
    return (await this.#each((node) => node.layout())).map(({ self }) => self);
  }

  async #assertUnmovedSince(before: readonly ClusterLayout['self'][]): Promise<void> {
    const textOf = (nodes: readonly ClusterLayout['self'][]): string => nodes.map((self) => self?.text).join('\n');
    const after = await this.#selves();
    const isWhole = sum(after.map((self) => self?.slots.length ?? 0)) === SLOTS;
    if (textOf(before) !== textOf(after) || textOf(after).includes('[') || !isWhole)
      throw new Error('slots of this Redis Cluster are moving');
  }

  close(): void {
    for (const node of [this.#seed, ...this.#nodes]) node.close();
  }
}
