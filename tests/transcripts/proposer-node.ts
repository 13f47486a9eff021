import { createStore } from '../../src/store/store.js';
import type { Store } from '../../src/store/store.js';
import { DEFAULT_LIMITS } from '../../src/store/limits.js';
import type { VirtualTime } from '../../verification/simulation/virtual-time.js';
import type { Acceptor } from '../../src/protocol/acceptor.js';
import type { Configuration } from '../../src/protocol/configuration.js';
import type { MemoryAcceptor } from '../../src/protocol/memory-acceptor.js';
import type { Time } from '../../src/protocol/time.js';
import type { Log } from './log.js';
import type { MessageKind, Network } from './network.js';
import { acceptedText, acceptText, confirmationText, prepareText, promiseText } from './wording.js';

/** As the product's, but each attempt is told as it is: none is repeated, none looks first, and a read asks all acceptors at once. */
const LIMITS = { ...DEFAULT_LIMITS, patienceMs: 0, contendedKeysMax: 0, acceptorLateMs: undefined };

export interface ProposerNodeOptions {
  /** Its name is `p` and this number. */
  readonly id: number;
  readonly configuration: Configuration;
  readonly acceptor: (name: string, identity: string | undefined) => MemoryAcceptor;
  readonly time: VirtualTime;
  readonly network: Network;
  readonly log: Log;
}

/** A process of a proposer, from one start to the next. */
interface Process {
  readonly store: Store;
  readonly start: { readonly proposer: number; readonly incarnation: number };
  isAlive: boolean;
}

/** The proposer as the product builds it, across the network of a transcript. Its configuration and its incarnation outlast a restart. */
export class ProposerNode {
  readonly name: string;
  readonly #options: ProposerNodeOptions;
  #configuration: Configuration;
  #incarnation = 0;
  #operations = 0;
  #process: Process;

  constructor(options: ProposerNodeOptions) {
    this.name = `p${options.id}`;
    this.#options = options;
    this.#configuration = options.configuration;
    this.#process = this.#start();
  }

  get store(): Store {
    return this.#process.store;
  }

  /** Which proposer this is, and which of its starts. */
  get start(): Process['start'] {
    return this.#process.start;
  }

  restart(): void {
    this.#process.isAlive = false;
    this.#process = this.#start();
    this.#options.log.add(this.name, `starts again, incarnation ${this.#incarnation}`);
  }

  #start(): Process {
    const { id } = this.#options;
    const incarnation = (this.#incarnation += 1);
    const lifeline = { isAlive: true };
    const isAlive = (): boolean => lifeline.isAlive;
    const time = this.#timeFor(isAlive);
    const store = createStore({
      id,
      state: { configuration: this.#configuration, incarnation, saveConfiguration: (next) => (this.#configuration = next) },
      acceptors: { get: (name, identity) => this.#acceptorAcross(name, identity, isAlive) },
      limits: LIMITS,
      events: { onStale: (seenEra) => this.#options.log.add(this.name, `sees era ${seenEra}: its own configuration is stale`) },
      time,
      random: () => 0,
      nextOperationId: () => `${this.name}-${(this.#operations += 1)}`,
    });
    return Object.assign(lifeline, { store, start: { proposer: id, incarnation } });
  }

  /** Says when a wait for the acceptors ended in vain. */
  #timeFor(isAlive: () => boolean): Time {
    const { time, log } = this.#options;
    return {
      nowMs: () => time.nowMs(),
      after: (delayMs, fire) =>
        time.after(delayMs, () => {
          if (!isAlive()) return;
          if (delayMs === LIMITS.acceptorTimeoutMs) log.add(this.name, `has waited for ${delayMs} ms`);
          fire();
        }),
    };
  }

  #acceptorAcross(to: string, identity: string | undefined, isAlive: () => boolean): Acceptor {
    const { acceptor, network } = this.#options;
    const memory = acceptor(to, identity);
    const call = <Reply>(kind: MessageKind, request: string, act: () => Promise<Reply>, reply: (reply: Reply) => string): Promise<Reply> =>
      network.call({ from: this.name, to, kind, request, act, reply, isAlive });
    return {
      prepare: (key, ballot) => call('prepare', prepareText(key, ballot), () => memory.prepare(key, ballot), promiseText),
      accept: (key, ballot, value, next) =>
        call('accept', acceptText(key, ballot, value, next), () => memory.accept(key, ballot, value, next), confirmationText),
      read: (key) =>
        call(
          'read',
          `read ${key}`,
          () => memory.read(key),
          (reply) => `holds ${acceptedText(reply)}`,
        ),
    };
  }
}
