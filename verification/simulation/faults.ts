import { oneOf, type Random } from '../../client/random.js';
import { isConfigured } from '../../src/protocol/configuration.js';
import { sleep } from '../../src/protocol/time.js';
import type { AcceptorNode } from './acceptor-node.js';
import { isKnownToBeOld, isSpare } from './disk-losses.js';
import type { ProposerNode } from './proposer-node.js';
import type { FaultName, RunSettings } from './settings.js';
import type { Trace } from './trace.js';
import type { WorldParts } from './world-parts.js';

export interface FaultsOptions extends WorldParts {
  readonly settings: RunSettings;
  readonly trace: Trace;
}

/** How many times longer than other faults a write that was left behind is out of sight: for some steps of the operator. */
const OUT_OF_SIGHT = 10;

/** How many times longer a message of a slow node takes. */
const SLOWNESS = 50;

/** Breaks nodes and links at random moments, and mends them after a random time. */
export class Faults {
  readonly #options: FaultsOptions;
  readonly #random: Random;
  #isOver = false;
  #hasGoneBack = false;
  count = 0;

  constructor(options: FaultsOptions) {
    this.#options = options;
    this.#random = options.random;
  }

  async run(): Promise<void> {
    const { settings, time } = this.#options;
    const kinds: readonly (readonly [FaultName, () => () => void])[] = [
      ['cuts', () => this.#cutOff(oneOf(this.#random, [...this.#options.proposers, ...this.#options.acceptors]).name)],
      ['cuts', () => this.#cutOneWay()],
      ['left-behind', () => this.#leaveBehind()],
      ['slow', () => this.#slowDown()],
      ['proposer-crashes', () => this.#crash(oneOf(this.#random, this.#options.proposers))],
      ['acceptor-crashes', () => this.#crash(oneOf(this.#random, this.#options.acceptors))],
      ['disk-losses', () => this.#loseDisk(oneOf(this.#random, this.#options.acceptors))],
      ['old-disks', () => this.#goBack(oneOf(this.#random, this.#options.acceptors))],
      ['old-folders', () => this.#putBackFolder(oneOf(this.#random, this.#options.proposers))],
    ];
    // Some runs know some of these only.
    const impossible: readonly FaultName[] = [
      ...(settings.canLoseDisks ? [] : (['disk-losses'] as const)),
      ...(settings.oldDisks === undefined ? (['old-disks'] as const) : []),
      ...(settings.oldFolders ? [] : (['old-folders'] as const)),
      // Who alone could tell must live.
      ...(settings.oldDisks === 'a little older' ? (['proposer-crashes'] as const) : []),
    ];
    const possible = kinds.filter(([fault]) => !impossible.includes(fault));
    const enabled = possible.filter(
      ([fault]) => settings.always.includes(fault) || (this.#random() < settings.variety && !settings.without.includes(fault)),
    );
    if (enabled.length === 0) return;
    for (;;) {
      await sleep(time, this.#random() * 2 * settings.faultEveryMs);
      if (this.#isOver) return;
      const mend = oneOf(this.#random, enabled)[1]();
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

  #cutOff(lonely: string): () => void {
    const { network, proposers, acceptors } = this.#options;
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
    const pair = [oneOf(this.#random, proposers).name, oneOf(this.#random, acceptors).name] as const;
    const [from, to] = this.#random() < 0.5 ? pair : [pair[1], pair[0]];
    this.#note(`nothing arrives from ${from} at ${to}`);
    network.cut(from, to);
    return () => {
      network.mend(from, to);
      this.#note(`messages from ${from} arrive at ${to} again`, 0);
    };
  }

  /** One proposer's accepts reach a single acceptor, and then nobody reaches that one for a while: a write is left behind where nobody sees it. */
  #leaveBehind(): () => void {
    const { network, proposers, acceptors, settings, time } = this.#options;
    const [from, keeper] = [oneOf(this.#random, proposers).name, oneOf(this.#random, acceptors).name];
    const others = acceptors.map(({ name }) => name).filter((name) => name !== keeper);
    this.#note(`accepts of ${from} reach nobody but ${keeper}`);
    for (const to of others) network.cut(from, to, 'accept');
    return () => {
      for (const to of others) network.mend(from, to, 'accept');
      this.#note(`accepts of ${from} reach everybody again`, 0);
      if (!this.#isOver) time.after(this.#random() * OUT_OF_SIGHT * settings.faultMs, this.#cutOff(keeper));
    };
  }

  /** An acceptor is slow, for all or for one of the proposers. */
  #slowDown(): () => void {
    const { network, proposers, acceptors, settings } = this.#options;
    const { name } = oneOf(this.#random, acceptors);
    const peers = (this.#random() < 0.5 ? proposers : [oneOf(this.#random, proposers)]).map((proposer) => proposer.name);
    this.#note(`${name} is slow for ${peers.join(' and ')}`);
    const slow = (factor: number): void => {
      for (const peer of peers)
        for (const [from, to] of [
          [name, peer],
          [peer, name],
        ] as const)
          network.slowDown(from, to, factor);
    };
    slow(settings.distance * SLOWNESS);
    return () => {
      slow(settings.distance);
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

  /** An acceptor crashes and comes back empty, where the cluster can do without it. */
  #loseDisk(node: AcceptorNode): () => void {
    const { acceptors, proposers } = this.#options;
    if (!isSpare(node, acceptors, proposers)) return () => undefined;
    this.#note(`${node.name} loses its disk`);
    node.loseDisk();
    return this.#crash(node);
  }

  /** An acceptor crashes and comes back as it was, where the cluster can do without it and every proposer can tell. */
  #goBack(node: AcceptorNode): () => void {
    const { acceptors, proposers, settings } = this.#options;
    const { identity = '', moments } = node;
    const canTell = settings.oldDisks === 'old' ? 'by its disk' : 'by what it was told last';
    const told = moments.filter((moment) => proposers.every((proposer) => proposer.wouldNotice(identity, moment, canTell)));
    // The count tells of the others, too.
    const chosen = settings.oldDisks === 'old' ? told : told.filter(({ beats }) => beats === node.memory.beats);
    const moment = chosen.at(Math.floor(this.#random() * chosen.length));
    if (this.#hasGoneBack || !isSpare(node, acceptors, proposers) || !moment) return () => undefined;
    this.#hasGoneBack = true;
    this.#note(`${node.name} goes back to an earlier moment`);
    node.goBack(moment);
    return this.#crash(node);
  }

  /** A proposer crashes and comes back with an earlier configuration, where every quorum of that has an acceptor that can tell, and others have the present one. */
  #putBackFolder(node: ProposerNode): () => void {
    const { acceptors, proposers } = this.#options;
    const known = node.moments.filter(({ configuration }) => isKnownToBeOld(configuration, node.id, acceptors));
    const moment = known.at(Math.floor(this.#random() * known.length));
    if (this.#hasGoneBack || !moment || !proposers.every(({ configuration }) => isConfigured(configuration))) return () => undefined;
    this.#hasGoneBack = true;
    this.#note(`${node.name} gets a state folder back that is of era ${moment.configuration.era}, not ${node.configuration.era}`);
    const mend = this.#crash(node);
    node.putBack(moment);
    return mend;
  }

  #note(text: string, faults = 1): void {
    this.count += faults;
    this.#options.trace.event(() => text);
  }
}
