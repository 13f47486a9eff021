import type { Step } from '../../node-control/safety/typed-step.js';
import { oneOf, type Random } from '../../client/random.js';
import { sleep } from '../../src/protocol/time.js';
import type { AcceptorNode } from './acceptor-node.js';
import type { Client } from './client.js';
import { isSpare } from './disk-losses.js';
import type { Operator } from './operator.js';
import type { ProposerNode } from './proposer-node.js';
import type { Trace } from './trace.js';
import type { Typed } from './typed.js';
import type { WorldParts } from './world-parts.js';

/** How many times longer messages take on a slow link: longer than two steps. */
const SLOWNESS = 60;
/** The longest that the operator waits for the operations that were begun before the next command, in milliseconds. */
const PATIENCE_MS = 40;
const OPERATIONS = 3;
/** How many times longer a message takes that outlasts a deletion and its collection, at least and at most. */
const [LONG_LEAST, LONG_MOST] = [40, 400];
/** The same for a copy: longer than the operator waits for an answer. */
const LONGEST = 2_500;
/** Who copies. */
const OPERATOR = 'operator-1';
/** Long enough for a prepare to arrive. */
const STALL_MS = 3;

export interface StepwiseOptions extends WorldParts {
  readonly operator: Operator;
  readonly clients: readonly Client[];
  readonly keys: readonly string[];
  /** See `Settings`. */
  readonly distance: number;
  readonly canLoseDisks: boolean;
  /** Takes one operation from those that the run has to do; false if none is left. */
  readonly take: () => boolean;
  readonly trace: Trace;
}

/**
 * An adversary in step with the operator. Before each command it may break links between proposers and acceptors, one by one, and restart a
 * proposer; then a few operations begin, and the command may be typed before they end. So a write that was left behind on a minority, or a
 * round that takes its time, meets the very next steps, where clients that never rest would have covered its tracks.
 */
export class Stepwise {
  readonly #options: StepwiseOptions;
  readonly #random: Random;
  readonly #busy = new Map<Client, Promise<unknown>>();
  #mend: (() => void)[] = [];
  #isOver = false;
  faults = 0;

  constructor(options: StepwiseOptions) {
    this.#options = options;
    this.#random = options.random;
  }

  /** Returns the command that did not succeed and that no other one may follow, if there is one. */
  async run({ commands, inOrder }: Typed): Promise<readonly Step[]> {
    let unfinished: readonly Step[] = [];
    for (const command of commands) {
      await this.#interfere(command);
      if (this.#isOver || unfinished.length > 0) break;
      // A command that takes many steps meets trouble of its own before each attempt.
      const between = command.verb === 'resize' ? { between: () => this.#interfere(command) } : {};
      const isDone = await this.#options.operator.type(command, between);
      if (!isDone && inOrder) unfinished = [command];
    }
    this.#mendLinks();
    await Promise.all(this.#busy.values());
    return unfinished;
  }

  async #interfere({ verb }: Step): Promise<void> {
    const { proposers, acceptors, canLoseDisks } = this.#options;
    const isRescan = verb === 'rescan';
    // A rescan needs the acceptors that it lists.
    if (isRescan || this.#random() < 0.2) this.#mendLinks();
    if (this.#random() < 0.2) this.#restart(oneOf(this.#random, proposers));
    if (canLoseDisks && this.#random() < 0.15) this.#loseDisk(oneOf(this.#random, acceptors));
    if (!isRescan && this.#random() < 0.5)
      await oneOf(this.#random, [() => this.#breakLinks(), () => this.#leaveBehind(), () => this.#stall()])();
    if (isRescan || verb === 'resize') this.#delayCopies();
    if (verb === 'collect' && this.#random() < 0.6) await this.#bury();
    if (this.#random() < 0.5) await this.#operate();
  }

  /** Some links between proposers and acceptors are cut, or carry no accepts, or are slow. */
  async #breakLinks(): Promise<void> {
    this.#mendLinks();
    for (const [proposer, acceptor] of this.#links()) {
      const dice = this.#random();
      if (dice < 0.15) this.#cut(proposer, acceptor);
      else if (dice < 0.3) this.#cut(proposer, acceptor, 'accept');
      else if (dice < 0.45) this.#slowDown(proposer, acceptor);
    }
  }

  /** A write reaches a single acceptor, and then no proposer reaches that one: it is left behind where nobody sees it. */
  async #leaveBehind(): Promise<void> {
    this.#mendLinks();
    const [writer, keeper] = [oneOf(this.#random, this.#options.proposers), oneOf(this.#random, this.#options.acceptors).name];
    for (const [proposer, acceptor] of this.#links())
      if (proposer === writer.name && acceptor !== keeper) this.#cut(proposer, acceptor, 'accept');
    await this.#begin(writer, oneOf(this.#random, this.#options.keys));
    this.#mendLinks();
    for (const [proposer, acceptor] of this.#links()) if (acceptor === keeper) this.#cut(proposer, acceptor);
    // One that begins to count anew has lower ballots.
    for (const proposer of this.#options.proposers) if (proposer !== writer && this.#random() < 0.5) this.#restart(proposer);
  }

  /** A round waits for the replies to its prepare, while another proposer writes the key; one acceptor hears of neither. */
  async #stall(): Promise<void> {
    this.#mendLinks();
    const { time, keys, acceptors, proposers } = this.#options;
    const [stalled, other] = [oneOf(this.#random, proposers), oneOf(this.#random, proposers)];
    const [key, deaf] = [oneOf(this.#random, keys), oneOf(this.#random, acceptors).name];
    for (const [proposer, acceptor] of this.#links()) {
      if (acceptor === deaf) this.#cut(proposer, acceptor, proposer === stalled.name ? 'prepare' : '');
      else if (proposer === stalled.name) this.#slowDown(acceptor, proposer);
    }
    void this.#begin(stalled, key);
    await sleep(time, STALL_MS);
    if (other !== stalled) await this.#begin(other, key);
  }

  /** A write is on its way to one acceptor for long after its key was deleted: a collection is to remove the tombstone there before it arrives. */
  async #bury(): Promise<void> {
    this.#mendLinks();
    const { proposers, acceptors, keys, network, distance, trace } = this.#options;
    const [writer, other, late, key] = [
      oneOf(this.#random, proposers),
      oneOf(this.#random, proposers),
      oneOf(this.#random, acceptors).name,
      oneOf(this.#random, keys),
    ];
    trace.event(() => `what ${writer.name} sends to ${late} now is long on its way`);
    this.faults += 1;
    network.slowDown(writer.name, late, distance * (LONG_LEAST + this.#random() * (LONG_MOST - LONG_LEAST)));
    await this.#begin(writer, key);
    network.slowDown(writer.name, late, distance);
    await this.#begin(other, key, (client) => client.delete(other, key));
  }

  /** What is copied to one acceptor arrives after the operator has gone on, by other ways or another time. */
  #delayCopies(): void {
    if (this.#random() < 0.5) return;
    const { network, acceptors, trace, distance } = this.#options;
    const { name } = oneOf(this.#random, acceptors);
    trace.event(() => `what is copied to ${name} from now on is long on its way`);
    this.faults += 1;
    network.slowDown(OPERATOR, name, LONG_LEAST + this.#random() * (LONGEST - LONG_LEAST), 'copy');
    this.#mend.push(() => network.slowDown(OPERATOR, name, distance, 'copy'));
  }

  #links(): [proposer: string, acceptor: string][] {
    const { proposers, acceptors } = this.#options;
    return proposers.flatMap((proposer) => acceptors.map((acceptor): [string, string] => [proposer.name, acceptor.name]));
  }

  #cut(from: string, to: string, kind = ''): void {
    const { network, trace } = this.#options;
    network.cut(from, to, kind);
    this.#mend.push(() => network.mend(from, to, kind));
    this.faults += 1;
    trace.event(() => `the link from ${from} to ${to} ${kind === '' ? 'is cut' : `carries no ${kind}`}`);
  }

  #slowDown(from: string, to: string): void {
    const { network, distance, trace } = this.#options;
    network.slowDown(from, to, distance * SLOWNESS);
    this.#mend.push(() => network.slowDown(from, to, distance));
    this.faults += 1;
    trace.event(() => `the link from ${from} to ${to} is slow`);
  }

  #mendLinks(): void {
    if (this.#mend.length > 0) this.#options.trace.event(() => 'all links are mended');
    for (const mend of this.#mend) mend();
    this.#mend = [];
  }

  #restart(proposer: ProposerNode): void {
    this.#options.trace.event(() => `${proposer.name} crashes and starts again`);
    this.faults += 1;
    proposer.crash();
    proposer.start();
  }

  /** Does so only if the cluster can do without it. */
  #loseDisk(acceptor: AcceptorNode): void {
    const { trace, acceptors, proposers } = this.#options;
    if (!isSpare(acceptor, acceptors, proposers)) return;
    trace.event(() => `${acceptor.name} loses its disk and starts again`);
    this.faults += 1;
    acceptor.crash();
    acceptor.loseDisk();
    acceptor.start();
  }

  async #operate(): Promise<void> {
    const { proposers, keys, time } = this.#options;
    for (let count = Math.floor(this.#random() * (OPERATIONS + 1)); count > 0; count -= 1) {
      const done = this.#begin(oneOf(this.#random, proposers), oneOf(this.#random, keys));
      if (this.#random() < 0.7) await Promise.race([done, sleep(time, this.#random() * PATIENCE_MS)]);
    }
  }

  /** One operation of a client that has nothing to do, if there is one. */
  async #begin(
    proposer: ProposerNode,
    key: string,
    operate = (client: Client): Promise<unknown> => client.operate(proposer, key),
  ): Promise<void> {
    const client = this.#options.clients.find((candidate) => !this.#busy.has(candidate));
    if (!client) return;
    this.#isOver ||= !this.#options.take();
    if (this.#isOver) return;
    const done = operate(client).finally(() => this.#busy.delete(client));
    this.#busy.set(client, done);
    await done;
  }
}
