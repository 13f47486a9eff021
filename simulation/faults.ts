import type { Random } from '../client/random.js';
import { sleep } from '../src/time.js';
import type { AcceptorNode } from './acceptor-node.js';
import type { Network } from './network.js';
import type { ProposerNode } from './proposer-node.js';
import type { Fault, Settings } from './settings.js';
import type { Trace } from './trace.js';
import type { VirtualTime } from './virtual-time.js';

export interface FaultsOptions {
  readonly settings: Settings;
  readonly time: VirtualTime;
  readonly random: Random;
  readonly network: Network;
  readonly proposers: readonly ProposerNode[];
  readonly acceptors: readonly AcceptorNode[];
  readonly trace: Trace;
}

/** How much longer every message of a slow node takes. */
const SLOWNESS = 20;

/** Breaks nodes and links at random moments, and mends them after a random time. */
export class Faults {
  readonly #options: FaultsOptions;
  readonly #random: Random;
  #isOver = false;
  count = 0;

  constructor(options: FaultsOptions) {
    this.#options = options;
    this.#random = options.random;
  }

  async run(): Promise<void> {
    const { settings, time } = this.#options;
    const kinds: readonly (readonly [Fault, () => () => void])[] = [
      ['cuts', () => this.#cutOff()],
      ['cuts', () => this.#cutOneWay()],
      ['slow', () => this.#slowDown()],
      ['proposer-crashes', () => this.#crash(this.#pick(this.#options.proposers))],
      ['acceptor-crashes', () => this.#crash(this.#pick(this.#options.acceptors))],
    ];
    // Some runs know some of these only.
    const enabled = kinds.filter(([fault]) => this.#random() < 0.6 && !settings.without.includes(fault));
    if (enabled.length === 0) return;
    for (;;) {
      await sleep(time, this.#random() * 2 * settings.faultEveryMs);
      if (this.#isOver) return;
      const mend = this.#pick(enabled)[1]();
      time.after(this.#random() * settings.faultMs, mend);
    }
  }

  /** Mends everything, and breaks nothing from now on. */
  heal(): void {
    this.#isOver = true;
    const { network, proposers, acceptors, trace } = this.#options;
    network.heal();
    for (const node of [...proposers, ...acceptors]) node.start();
    trace.event(() => 'all is mended');
  }

  #cutOff(): () => void {
    const { network, proposers, acceptors } = this.#options;
    const lonely = this.#pick([...proposers, ...acceptors]).name;
    const others = [...proposers, ...acceptors].map(({ name }) => name).filter((name) => name !== lonely);
    this.#note(`${lonely} is cut off`);
    const links = others.flatMap((other) => [[lonely, other] as const, [other, lonely] as const]);
    for (const [from, to] of links) network.cut(from, to);
    return () => {
      for (const [from, to] of links) network.mend(from, to);
      this.#note(`${lonely} is back on the network`, 0);
    };
  }

  #cutOneWay(): () => void {
    const { network, proposers, acceptors } = this.#options;
    const pair = [this.#pick(proposers).name, this.#pick(acceptors).name] as const;
    const [from, to] = this.#random() < 0.5 ? pair : [pair[1], pair[0]];
    this.#note(`nothing arrives from ${from} at ${to}`);
    network.cut(from, to);
    return () => {
      network.mend(from, to);
      this.#note(`messages from ${from} arrive at ${to} again`, 0);
    };
  }

  #slowDown(): () => void {
    const { network, acceptors } = this.#options;
    const { name } = this.#pick(acceptors);
    this.#note(`${name} is slow`);
    network.slowDown(name, SLOWNESS);
    return () => {
      network.slowDown(name, 1);
      this.#note(`${name} is as fast as before`, 0);
    };
  }

  #crash(node: ProposerNode | AcceptorNode): () => void {
    this.#note(`${node.name} crashes`);
    node.crash();
    return () => {
      if (!node.isUp) this.#note(`${node.name} starts again`, 0);
      node.start();
    };
  }

  #note(text: string, faults = 1): void {
    this.count += faults;
    this.#options.trace.event(() => text);
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#random() * items.length)] as Item;
  }
}
