import { StrangerError, UnfitAcceptor } from '../protocol/errors.js';
import type { Redis } from 'ioredis';
import { type Acceptor } from '../protocol/acceptor.js';
import type { Acquaintance, Fitness } from './fitness.js';
import { REGISTER_PREFIX } from './keys.js';
import type { LinkState } from './link-options.js';
import { RedisAcceptor, type RedisAcceptorOptions } from './redis-acceptor.js';
import type { AcceptorAdmin } from './acceptor-admin.js';
import { joinIdentities, RedisAdmin } from './redis-admin.js';
import type { RedisAccess } from './redis-connection.js';
import type { AcceptorTrouble } from './trouble.js';
import { SLOTS, slotOf } from './slot.js';

/*
 * One acceptor made of a Redis Cluster: more registers than one Redis holds. A register is one key, so each lies on one node, which then plays
 * the acceptor's role for it. What is here finds that node, over a RedisAcceptor for each. A client that follows redirections and repeats what
 * failed would send a message twice, and send it before it is known who answers.
 */

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

/** Why a Redis Cluster with replicas is no acceptor. */
export const REPLICATED =
  'this Redis Cluster has replicas, and a failover to one would lose acknowledged writes; take them out: the copies are the other acceptors';
/** For each slot the smallest number that hashes to it. */
const tags = new Map<number, number>();

/**
 * The identity is kept once in each slot: it goes where the slot's registers go, and is lost where they are lost, be it that a node lost its
 * disk or that the slot was given to another one without them.
 */
function identityKey(slot: number): string {
  for (let tag = 0; tags.size < SLOTS; tag += 1) if (!tags.has(slotOf(String(tag)))) tags.set(slotOf(String(tag)), tag);
  return `identity:{${tags.get(slot) ?? ''}}`;
}

type Layout = Awaited<ReturnType<typeof layoutFrom>>;

/**
 * What one node says of its cluster: who owns which slots; and of itself a text that is another one whenever a slot changed hands, with a
 * bracket for each that is about to. Throws {@link UnfitAcceptor} if there are replicas. @param address where the node was reached
 */
async function layoutFrom(redis: Redis, address: string) {
  const told = String(await redis.cluster('NODES')).trim();
  // What the operator says of the one node in the address map holds for all.
  const options = /\?.*$/.exec(address)?.[0] ?? '';
  const nodes = told.split('\n').map((line) => {
    const [id, endpoint = '', flags = '', , , , epoch, , ...ranges] = line.split(' ');
    if (/slave|replica/.test(flags)) throw new UnfitAcceptor(REPLICATED);
    const isSelf = flags.includes('myself');
    const slots = ranges.filter((range) => !range.startsWith('[')).flatMap(slotsIn);
    return { isSelf, address: isSelf ? address : endpoint.replace(/@.*$/, options), slots, text: [id, epoch, ...ranges].join(' ') };
  });
  return { owners: nodes.filter(({ slots }) => slots.length > 0), self: nodes.find(({ isSelf }) => isSelf) };
}

function slotsIn(range: string): number[] {
  const [first = 0, last = first] = range.split('-').map(Number);
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

class NodeAcceptor extends RedisAcceptor {
  declare readonly address: string;
  readonly layout = (): Promise<Layout> => layoutFrom(this.redis, this.address);
}

/** The acceptor's role played by all nodes of a Redis Cluster, each for its slots. */
export class RedisClusterAcceptor implements Acceptor {
  readonly #options: RedisAcceptorOptions;
  readonly #nodes = new Map<string, NodeAcceptor>();
  readonly #owners = new Array<NodeAcceptor | undefined>(SLOTS).fill(undefined);
  #state: LinkState = 'unreachable';
  #isLooking = false;

  /** @param options `address` is that of one node, which leads to the others */
  constructor(options: RedisAcceptorOptions) {
    this.#options = options;
    this.#nodeAt(options.address.replace('redis+cluster://', ''));
  }

  readonly prepare: Acceptor['prepare'] = (key, ...message) => this.#ask(key, (node) => node.prepare(key, ...message));
  readonly accept: Acceptor['accept'] = (key, ...message) => this.#ask(key, (node) => node.accept(key, ...message));
  readonly read: Acceptor['read'] = (key) => this.#ask(key, (node) => node.read(key));

  /** `ready` if every slot has a node that is. While a node is unreachable, the registers of the others are served still. */
  get state(): LinkState {
    return this.#state;
  }

  get trouble(): AcceptorTrouble | undefined {
    const [node] = [...this.#nodes.values()].filter(({ trouble }) => trouble);
    return node?.trouble && { ...node.trouble, text: `${node.trouble.text} (${node.address})` };
  }

  /** As `RedisAcceptor.tryWrite`, of the node that has the empty key. */
  readonly tryWrite = (): Promise<void> => this.#ask('', (node) => node.tryWrite());

  get flaws(): string {
    const unfit = [...this.#nodes.values()].filter((node) => node.flaws !== '');
    return unfit.map((node) => `${node.address}: ${node.flaws}`).join('; ');
  }

  /** It is not greeted, so it is not noticed: its identity is kept once in each slot, its registers on several disks. */
  readonly wentBack = undefined;

  close(): void {
    for (const node of this.#nodes.values()) node.close();
  }

  async leave(): Promise<void> {
    this.close();
  }

  greetNow(): void {
    // Nothing is told to it.
  }

  async #ask<Reply>(key: string, send: (node: RedisAcceptor) => Promise<Reply>): Promise<Reply> {
    if (this.#state === 'replicated') throw new UnfitAcceptor(REPLICATED);
    if (this.#state === 'stranger') throw new StrangerError(`a node of this Redis Cluster is not of ${this.#options.identity ?? ''}`);
    const node = this.#owners[slotOf(REGISTER_PREFIX + key)];
    if (!node) throw new Error('no node of this Redis Cluster is known to serve the key');
    return send(node).catch((error: unknown) => {
      // It was not done there, and is not tried elsewhere: the next message finds the way.
      if (node.state === 'unreachable' || (error instanceof Error && error.message.startsWith('MOVED'))) void this.#lookAround();
      throw error;
    });
  }

  #nodeAt(address: string): NodeAcceptor {
    const present = this.#nodes.get(address);
    if (present) return present;
    const met = async (): Promise<string | undefined> => {
      const [slot] = (await this.#look(node)).self?.slots ?? [];
      return slot === undefined ? undefined : identityKey(slot);
    };
    const identityKeys = { of: (register: string) => identityKey(slotOf(register)), met };
    const node = new NodeAcceptor({ ...this.#options, address, identityKeys, onState: (...news) => this.#onNodeState(...news) });
    this.#nodes.set(address, node);
    return node;
  }

  /** Asks a node for the layout, and goes by that from then on. */
  async #look(node: NodeAcceptor): Promise<Layout> {
    const layout = await node.layout().catch((error: unknown) => {
      if (error instanceof UnfitAcceptor) this.#become('replicated');
      throw error;
    });
    for (const { address, slots } of layout.owners) for (const slot of slots) this.#owners[slot] = this.#nodeAt(address);
    return layout;
  }

  #onNodeState(state: LinkState, remark = ''): void {
    const states = [...new Set(this.#owners)].map((owner) => owner?.state);
    if (states.includes('stranger')) this.#become('stranger');
    else if (states.includes('unfit')) this.#become('unfit', this.flaws);
    else if (states.every((one) => one === 'ready')) this.#become('ready', remark);
    else this.#become('unreachable');
    // The others say whether a replica waits to take its place.
    if (state === 'unreachable') void this.#lookAround();
  }

  async #lookAround(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const ready = [...this.#nodes.values()].filter((node) => node.state === 'ready');
    await Promise.allSettled(ready.map((node) => this.#look(node)));
    this.#isLooking = false;
  }

  /** Once replicated it stays so under this identity: a replica that has taken over no longer shows as one. */
  #become(state: LinkState, remark = ''): void {
    if (state === this.#state || this.#state === 'replicated') return;
    this.#state = state;
    this.#options.onState?.(state, remark);
  }
}

class NodeAdmin extends RedisAdmin {
  declare readonly address: string;
  readonly layout = (): Promise<Layout> => layoutFrom(this.redis, this.address);
}

/** As `RedisAdmin`, for all nodes of a Redis Cluster together. */
export class RedisClusterAdmin implements AcceptorAdmin {
  readonly #seed: NodeAdmin;
  readonly #open: (owner: Layout['owners'][number]) => NodeAdmin;
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
    const selves = async (): Promise<Layout['self'][]> => (await this.#each((node) => node.layout())).map(({ self }) => self);
    const textOf = (nodes: readonly Layout['self'][]): string => nodes.map((self) => self?.text).join('\n');
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
