import { type Step, typed } from '../../node-control/safety/typed-step.js';
import { forkedFrom, type Random, randomFrom } from '../../client/random.js';
import { sleep } from '../../src/protocol/time.js';
import { AcceptorMonitor } from '../checkers/acceptor-monitor.js';
import { checkHistory } from '../checkers/check.js';
import { History, type Violation } from '../checkers/history.js';
import { acceptorAcross, AcceptorNode } from './acceptor-node.js';
import { Client } from './client.js';
import { Faults } from './faults.js';
import { FaultyNetwork } from './faulty-network.js';
import { type FinalReading, readAll } from './final-reading.js';
import { GreetedLink } from './greeted-link.js';
import { named, Operator } from './operator.js';
import { anyCommand } from './random-commands.js';
import { ProposerNode } from './proposer-node.js';
import { acceptorName, proposerName } from './node-names.js';
import { Schedule } from './schedule.js';
import type { RunSettings } from './settings.js';
import { Stepwise } from './stepwise.js';
import { Trace } from './trace.js';
import type { Typed } from './typed.js';
import { VirtualTime } from './virtual-time.js';

export interface Report {
  readonly settings: RunSettings;
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

/** As the product's, for a network that is faster than real ones. */
const LIMITS = { patienceMs: 300, retryPauseMs: 2, resolvePauseMs: 5 };

/** How often a named write is sent again when all is mended, and with what pause between: earlier rounds for its key may still wait for a time-out. */
const [FINISH_ATTEMPTS, FINISH_PAUSE_MS] = [20, 100];

/** How often a command may fail before anything else has begun. */
const START_ATTEMPTS = 1_000;

/** Proposers, acceptors, clients and an operator in one thread, and all that happens to them. */
export class SimulatedWorld {
  readonly time = new VirtualTime();
  readonly history = new History(() => this.time.nowMs());
  readonly monitor = new AcceptorMonitor();
  readonly acceptors: readonly AcceptorNode[];
  readonly proposers: readonly ProposerNode[];
  readonly #settings: RunSettings;
  readonly #trace: Trace;
  readonly #network: FaultyNetwork;
  readonly #faults: Faults;
  readonly #operator: Operator;
  readonly #stepwise: Stepwise;
  readonly #clients: readonly Client[];
  readonly #reader: Client;
  readonly #keys: readonly string[];
  readonly #schedule: Schedule;
  readonly #silent: Violation[] = [];
  #finals: FinalReading['states'] = new Map();

  constructor(settings: RunSettings, isTraced: boolean) {
    this.#settings = settings;
    const { time } = this;
    this.#trace = new Trace(() => time.nowMs(), isTraced);
    // A stream of its own for each part: fewer operations or faults do not shift what the others draw.
    const seeds = randomFrom(settings.seed ^ 0x5eed);
    const network = (this.#network = new FaultyNetwork(time, forkedFrom(seeds), settings.network, this.#trace));
    this.acceptors = Array.from({ length: settings.acceptors }, (_, index) => {
      const name = acceptorName(index + 1);
      return new AcceptorNode(name, this.monitor, settings.configuration.identities?.[name], settings.oldDisks !== undefined);
    });
    this.proposers = Array.from({ length: settings.proposers }, (_, index) => {
      const name = proposerName(index + 1);
      const { configuration, timeoutMs, resolveMs } = settings;
      const random = forkedFrom(seeds);
      return new ProposerNode({
        name,
        id: index + 1,
        configuration,
        time,
        acceptor: (caller, to, identity) => acceptorAcross(network, caller, name, named(this.acceptors, to), identity),
        hasMoments: settings.oldFolders,
        ...((settings.oldDisks !== undefined || settings.oldFolders) && {
          link: (caller, to, identity, introduction) =>
            new GreetedLink({ network, caller, from: name, node: named(this.acceptors, to), identity, introduction }),
        }),
        options: () => ({ limits: { ...LIMITS, acceptorTimeoutMs: timeoutMs, acceptorLateMs: timeoutMs / 4, resolveMs }, random }),
      });
    });
    for (const { name } of this.acceptors) {
      for (const proposer of this.proposers) {
        network.slowDown(name, proposer.name, settings.distance);
        network.slowDown(proposer.name, name, settings.distance);
      }
    }
    const parts = { time, trace: this.#trace, network, proposers: this.proposers, acceptors: this.acceptors };
    this.#faults = new Faults({ ...parts, settings, random: forkedFrom(seeds) });
    const { deaths, doubles, interruptions, byRounds, isAnarchic, attempts: mostAttempts } = settings;
    const onCollection = (): void => this.history.noteCollection();
    const operator = { random: forkedFrom(seeds), deaths, doubles, interruptions, byRounds, mostAttempts, onCollection };
    this.#operator = new Operator({ ...parts, ...operator, ...(isAnarchic && { other: this.#anything(forkedFrom(seeds)) }) });
    this.#keys = Array.from({ length: settings.keys }, (_, index) => `k${index + 1}`);
    const clients = {
      ...parts,
      history: this.history,
      keys: this.#keys,
      reads: settings.reads,
      changes: settings.changes,
      thinkMs: settings.thinkMs,
      turn: () => this.#schedule.clientsTurn(),
    };
    const take = (): boolean => this.#schedule.take();
    this.#clients = Array.from(
      { length: settings.clients },
      (_, index) => new Client({ ...clients, name: `client-${index + 1}`, random: forkedFrom(seeds), take }),
    );
    this.#stepwise = new Stepwise({
      ...parts,
      operator: this.#operator,
      distance: settings.distance,
      canLoseDisks: settings.canLoseDisks,
      clients: this.#clients,
      take,
      keys: this.#keys,
      random: forkedFrom(seeds),
    });
    this.#reader = new Client({ ...clients, name: 'reader', random: forkedFrom(seeds), take: () => false });
    const { operations, stopAfter, haste, typed } = settings;
    this.#schedule = new Schedule({ time, random: forkedFrom(seeds), operations, stopAfter, haste, commands: typed.commands.length });
  }

  async live(): Promise<void> {
    const { typed, isStepwise, isAnarchic, network } = this.#settings;
    const left = await this.#start(typed);
    const commands = left.length > 0 ? [] : typed.commands;
    const typing = isStepwise ? this.#stepwise.run({ ...typed, commands }) : this.#migrate({ ...typed, commands });
    if (isStepwise) {
      await typing;
    } else {
      void this.#faults.run();
      await Promise.all(this.#clients.map((client) => client.run()));
    }
    this.#schedule.end();
    this.#operator.heal();
    this.#faults.heal();
    const unfinished = await typing;
    // Who types anything may also type what leaves a proposer without acceptors: that comes before the last commands, not after them.
    if (isAnarchic) await sleep(this.time, network.lateMs);
    await this.#operator.alone();
    for (const command of [...left, ...unfinished, ...typed.ending]) await this.#demand(command);
    await this.#finishAll();
    await this.#readAll('quorum');
    // What is still on its way arrives now, into a world that has moved on.
    await sleep(this.time, network.lateMs);
    await this.#readAll('round');
  }

  report(silence: boolean): Report {
    const violations = [...this.monitor.violations, ...checkHistory(this.history, this.#finals), ...(silence ? this.#silent : [])];
    const { done: steps, attempts } = this.#operator;
    const faults = this.#faults.count + this.#stepwise.faults;
    const { messages } = this.#network;
    return { settings: this.#settings, history: this.history, violations, trace: this.#trace, messages, faults, steps, attempts };
  }

  /** Returns the first command that did not succeed and those after it, where no other one may follow. */
  async #start({ start, inOrder }: Typed): Promise<readonly Step[]> {
    for (const [index, command] of start.entries()) {
      const isDone = await this.#operator.type(command, { attempts: START_ATTEMPTS });
      if (!isDone && inOrder) return start.slice(index);
    }
    return [];
  }

  /** Returns the command that did not succeed and that no other one may follow, if there is one. */
  async #migrate({ commands, inOrder }: Typed): Promise<readonly Step[]> {
    this.#schedule.begin();
    for (const [index, command] of commands.entries()) {
      if (!(await this.#schedule.operatorsTurn(index))) break;
      const isDone = await this.#operator.type(command);
      this.#schedule.typed();
      if (!isDone && inOrder) return [command];
    }
    return [];
  }

  async #demand(command: Step): Promise<void> {
    if (await this.#operator.type(command)) return;
    this.#silent.push({ rule: ANSWERS, key: '', message: `"${typed(command)}" does not succeed` });
  }

  #anything(random: Random): () => Step {
    const [acceptors, proposers] = [this.acceptors, this.proposers].map((nodes) => nodes.map(({ name }) => name));
    return () => anyCommand(random, { acceptors: acceptors ?? [], proposers: proposers ?? [] });
  }

  /** Clients learn what became of every write that they gave a name, or that it is forgotten. */
  async #finishAll(): Promise<void> {
    for (const client of this.#clients) {
      for (const { key, name } of await client.finish(FINISH_PAUSE_MS, FINISH_ATTEMPTS)) {
        this.#silent.push({ rule: ANSWERS, key, message: `nobody tells what became of ${name}` });
      }
    }
  }

  async #readAll(by: 'quorum' | 'round'): Promise<void> {
    const { states, silent } = await readAll({ time: this.time, reader: this.#reader, keys: this.#keys, proposers: this.proposers, by });
    this.#finals = states;
    this.#silent.push(...silent.map(({ key, proposer }) => ({ rule: ANSWERS, key, message: `${proposer} does not answer` })));
  }
}
