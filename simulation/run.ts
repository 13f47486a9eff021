import { forkedFrom, type Random, randomFrom } from '../client/random.js';
import { sleep } from '../src/time.js';
import { AcceptorMonitor } from './checkers/acceptor-monitor.js';
import { checkHistory } from './checkers/check.js';
import { History, type Violation } from './checkers/history.js';
import { acceptorAcross, AcceptorNode } from './acceptor-node.js';
import { Client } from './client.js';
import { Faults } from './faults.js';
import { Network } from './network.js';
import { named, Operator } from './operator.js';
import { anyCommand } from './random-commands.js';
import { ProposerNode } from './proposer-node.js';
import { acceptorName, proposerName, type Settings } from './settings.js';
import { Stepwise } from './stepwise.js';
import { Trace } from './trace.js';
import type { Typed } from './typed.js';
import { VirtualTime } from './virtual-time.js';

export interface Report {
  readonly settings: Settings;
  readonly history: History;
  readonly violations: readonly Violation[];
  readonly trace: Trace;
  readonly messages: number;
  readonly faults: number;
  /** Commands of the operator that were done, and attempts at them. */
  readonly steps: number;
  readonly attempts: number;
}

/** No rule of the protocol, but a cluster that is silent loses nothing either. */
const ANSWERS = 'answering when all is mended';

/** When clients stop in any case, in milliseconds of virtual time: with enough crashes a step may never find every proposer up. */
const LIFE_MS = 20_000;

/** How many operations the clients may be ahead of the operator: enough for a step that is under way, or that has to be repeated. */
const AHEAD = 10;

/** How often a command may fail before anything else has begun. */
const START_ATTEMPTS = 1_000;

/** How often each key is read at the end through each proposer, where the network no longer loses anything, before that counts as silence. */
const FINAL_ATTEMPTS = 20;
const FINAL_PAUSE_MS = 100;

/**
 * Runs one world from start to end and checks what happened. The same settings give the same report.
 * @param options.silence whether a cluster that does not answer when all is mended violates anything
 */
export async function run(settings: Settings, { trace: isTraced = false, silence = true } = {}): Promise<Report> {
  const world = new World(settings, isTraced);
  await world.time.run(world.live());
  return world.report(silence);
}

class World {
  readonly time = new VirtualTime();
  readonly #settings: Settings;
  readonly #trace: Trace;
  readonly #history = new History(() => this.time.nowMs());
  readonly #monitor = new AcceptorMonitor();
  readonly #acceptors: readonly AcceptorNode[];
  readonly #proposers: readonly ProposerNode[];
  readonly #network: Network;
  readonly #faults: Faults;
  readonly #operator: Operator;
  readonly #stepwise: Stepwise;
  readonly #clients: readonly Client[];
  readonly #reader: Client;
  readonly #keys: readonly string[];
  readonly #thresholds: number[] = [];
  readonly #finals = new Map<string, { ver: number; val: string | null }>();
  readonly #silent: Violation[] = [];
  #operations = 0;
  #typedCount = 0;
  #waiting: { readonly condition: () => boolean; readonly resolve: () => void }[] = [];
  #isOver = false;

  constructor(settings: Settings, isTraced: boolean) {
    this.#settings = settings;
    const { time } = this;
    this.#trace = new Trace(() => time.nowMs(), isTraced);
    // A stream of its own for each part: fewer operations or faults do not shift what the others draw.
    const seeds = randomFrom(settings.seed ^ 0x5eed);
    const forAll = { time, trace: this.#trace };
    const network = (this.#network = new Network(time, forkedFrom(seeds), settings.network, this.#trace));
    this.#acceptors = Array.from({ length: settings.acceptors }, (_, index) => {
      const name = acceptorName(index + 1);
      return new AcceptorNode(name, this.#monitor, settings.configuration.identities?.[name]);
    });
    this.#proposers = Array.from({ length: settings.proposers }, (_, index) => {
      const name = proposerName(index + 1);
      const { configuration, timeoutMs, resolveMs } = settings;
      return new ProposerNode({
        ...{ name, id: index + 1, configuration, time, timeoutMs, resolveMs, random: forkedFrom(seeds) },
        acceptor: (caller, to, identity) => acceptorAcross(network, caller, name, named(this.#acceptors, to), identity),
      });
    });
    for (const { name } of this.#acceptors) {
      for (const proposer of this.#proposers) {
        network.slowDown(name, proposer.name, settings.distance);
        network.slowDown(proposer.name, name, settings.distance);
      }
    }
    const nodes = { network, proposers: this.#proposers, acceptors: this.#acceptors };
    this.#faults = new Faults({ ...forAll, ...nodes, settings, random: forkedFrom(seeds) });
    const { deaths, doubles, interruptions, isAnarchic, attempts: mostAttempts } = settings;
    const operator = { random: forkedFrom(seeds), deaths, doubles, interruptions, mostAttempts };
    this.#operator = new Operator({ ...forAll, ...nodes, ...operator, ...(isAnarchic && { other: this.#anything(forkedFrom(seeds)) }) });
    this.#keys = Array.from({ length: settings.keys }, (_, index) => `k${index + 1}`);
    const clients = {
      time,
      ...nodes,
      history: this.#history,
      keys: this.#keys,
      reads: settings.reads,
      thinkMs: settings.thinkMs,
      turn: () => this.#until(() => !this.#isAhead()),
    };
    const take = (): boolean => {
      this.#operations += 1;
      this.#look();
      return this.#operations <= settings.stopAfter && time.nowMs() < LIFE_MS;
    };
    this.#clients = Array.from(
      { length: settings.clients },
      (_, index) => new Client({ ...clients, name: `client-${index + 1}`, random: forkedFrom(seeds), take }),
    );
    this.#stepwise = new Stepwise({
      ...forAll,
      ...nodes,
      operator: this.#operator,
      distance: settings.distance,
      canLoseDisks: settings.canLoseDisks,
      clients: this.#clients,
      take,
      keys: this.#keys,
      random: forkedFrom(seeds),
    });
    this.#reader = new Client({ ...clients, name: 'reader', random: forkedFrom(seeds), take: () => false });
    const random = forkedFrom(seeds);
    // The operator goes on when so many operations have begun: the commands are spread over the run, some of them in a row.
    const begins = settings.typed.commands.map(() => random() * settings.operations).sort((a, b) => a - b);
    for (const [index, begin] of begins.entries()) {
      const isHasty = index > 0 && random() < settings.haste;
      this.#thresholds.push(isHasty ? (this.#thresholds[index - 1] ?? 0) : begin);
    }
  }

  async live(): Promise<void> {
    const { typed, isStepwise } = this.#settings;
    for (const command of typed.start) await this.#operator.type(command, { attempts: START_ATTEMPTS });
    const typing = isStepwise ? this.#stepwise.run(typed) : this.#migrate(typed);
    if (isStepwise) {
      await typing;
    } else {
      void this.#faults.run();
      await Promise.all(this.#clients.map((client) => client.run()));
    }
    this.#isOver = true;
    this.#look();
    this.#operator.heal();
    this.#faults.heal();
    const unfinished = await typing;
    if (unfinished !== undefined) await this.#demand(unfinished);
    for (const command of typed.ending) await this.#demand(command);
    await this.#readAll('quorum');
    // What is still on its way arrives now, into a world that has moved on.
    await sleep(this.time, this.#settings.network.lateMs);
    await this.#readAll('round');
  }

  report(silence: boolean): Report {
    const violations = [...this.#monitor.violations, ...checkHistory(this.#history, this.#finals), ...(silence ? this.#silent : [])];
    const { done: steps, attempts } = this.#operator;
    const faults = this.#faults.count + this.#stepwise.faults;
    const { messages } = this.#network;
    return { settings: this.#settings, history: this.#history, violations, trace: this.#trace, messages, faults, steps, attempts };
  }

  /** The clients leave operations for the time after the command that the operator is at. */
  #isAhead(): boolean {
    const { operations, typed } = this.#settings;
    const next = this.#thresholds[Math.max(0, this.#typedCount) + 1];
    return typed.commands.length > 0 && this.#operations > (next ?? operations) + AHEAD && this.time.nowMs() < LIFE_MS;
  }

  /** Returns the command that did not succeed and that no other one may follow, if there is one. */
  async #migrate({ commands, inOrder }: Typed): Promise<string | undefined> {
    this.time.after(LIFE_MS, () => this.#look());
    for (const [index, command] of commands.entries()) {
      const begin = this.#thresholds[index] ?? 0;
      await this.#until(() => this.#isOver || this.#operations >= begin);
      if (this.#operations < begin) return undefined;
      const isDone = await this.#operator.type(command);
      this.#typedCount += 1;
      this.#look();
      if (!isDone && inOrder) return command;
    }
    return undefined;
  }

  async #demand(command: string): Promise<void> {
    if (await this.#operator.type(command)) return;
    this.#silent.push({ rule: ANSWERS, key: '', message: `"${command}" does not succeed` });
  }

  #anything(random: Random): () => string {
    const names = (nodes: readonly { readonly name: string }[]): string[] => nodes.map(({ name }) => name);
    const nodes = { acceptors: names(this.#acceptors), proposers: names(this.#proposers) };
    return () => anyCommand(random, nodes);
  }

  /** Settles when the condition holds. It is looked at whenever an operation begins, a command is done, or the run is over. */
  #until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ condition, resolve }));
  }

  #look(): void {
    const [now, later] = [true, false].map((holds) => this.#waiting.filter(({ condition }) => condition() === holds));
    this.#waiting = later ?? [];
    for (const { resolve } of now ?? []) resolve();
  }

  /** Every key through every proposer, when all is mended: what the last one says is the final state. */
  async #readAll(by: 'quorum' | 'round'): Promise<void> {
    for (const key of this.#keys) {
      for (const proposer of this.#proposers) {
        let outcome = await this.#reader.get(proposer, key, by);
        for (let attempt = 1; outcome.kind !== 'state' && attempt < FINAL_ATTEMPTS; attempt += 1) {
          // An earlier round for the key may still wait for its time-out.
          await sleep(this.time, FINAL_PAUSE_MS);
          outcome = await this.#reader.get(proposer, key, by);
        }
        if (outcome.kind === 'state') this.#finals.set(key, outcome);
        else this.#silent.push({ rule: ANSWERS, key, message: `${proposer.name} does not answer` });
      }
    }
  }
}
