import { StrangerError, UnfitAcceptor } from '../protocol/errors.js';
import { type Acceptor } from '../protocol/acceptor.js';
import { highestShare } from './memory-use.js';
import { identityKey, type ClusterLayout, layoutFrom, REPLICATED } from './cluster-layout.js';
import { REGISTER_PREFIX } from './keys.js';
import type { LinkState } from './link-options.js';
import { RedisAcceptor, type RedisAcceptorOptions } from './redis-acceptor.js';
import type { AcceptorTrouble } from './trouble.js';
import { SLOTS, slotOf } from './slot.js';

/*
 * One acceptor made of a Redis Cluster: more registers than one Redis holds. A register is one key, so each lies on one node, which then plays
 * the acceptor's role for it. What is here finds that node, over a RedisAcceptor for each. A client that follows redirections and repeats what
 * failed would send a message twice, and send it before it is known who answers.
 */

class NodeAcceptor extends RedisAcceptor {
  declare readonly address: string;
  readonly layout = (): Promise<ClusterLayout> => layoutFrom(this.redis, this.address);
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

  /** Of the fullest node. */
  get memoryUsed(): number | undefined {
    return highestShare([...this.#nodes.values()].map((node) => node.memoryUsed));
  }

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
  async #look(node: NodeAcceptor): Promise<ClusterLayout> {
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
