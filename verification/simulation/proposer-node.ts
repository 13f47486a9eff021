import type { Acceptor } from '../../src/protocol/acceptor.js';
import { acceptorsOf, type Configuration } from '../../src/protocol/configuration.js';
import { type Acceptors, createStore, type Store, type StoreOptions } from '../../src/store/store.js';
import { Process } from './process.js';
import type { VirtualTime } from './virtual-time.js';

/** What a started proposer consists of. */
export interface Running {
  readonly process: Process;
  readonly store: Store;
  readonly start: { readonly proposer: number; readonly incarnation: number };
}

export interface ProposerNodeOptions {
  readonly name: string;
  readonly id: number;
  readonly configuration: Configuration;
  readonly time: VirtualTime;
  /** An acceptor across the network, for one process of this node. */
  readonly acceptor: (caller: Process, name: string, identity: string | undefined) => Acceptor;
  /** The store's options that are not a node's business, for one process of this node. */
  readonly options: (process: Process) => Omit<StoreOptions, 'id' | 'state' | 'acceptors'>;
}

/** A proposer with a disk: its configuration and its incarnation outlast its crashes, nothing else does. */
export class ProposerNode {
  readonly name: string;
  readonly #options: ProposerNodeOptions;
  readonly #disk: { configuration: Configuration; incarnation: number };
  #running: Running | undefined;

  constructor(options: ProposerNodeOptions) {
    this.name = options.name;
    this.#options = options;
    this.#disk = { configuration: options.configuration, incarnation: 0 };
    this.start();
  }

  /** Throws while the proposer is down. */
  get running(): Running {
    if (!this.#running) throw new Error('connection refused');
    return this.#running;
  }

  /** As it is on disk. */
  get configuration(): Configuration {
    return this.#disk.configuration;
  }

  get isUp(): boolean {
    return this.#running !== undefined;
  }

  crash(): void {
    this.#running?.process.kill();
    this.#running = undefined;
  }

  start(): void {
    if (this.#running) return;
    const { id, time, options } = this.#options;
    const disk = this.#disk;
    disk.incarnation += 1;
    const { incarnation } = disk;
    const process = new Process(time);
    const state = {
      configuration: disk.configuration,
      incarnation,
      saveConfiguration: (next: Configuration) => void (disk.configuration = next),
    };
    const store = createStore({ id, state, acceptors: this.#acceptorsFor(process), time: process.time, ...options(process) });
    this.#running = { process, store, start: { proposer: id, incarnation } };
  }

  /** One connection for each, opened when it is first asked for. */
  #acceptorsFor(process: Process): Acceptors {
    const connections = new Map<string, Acceptor>();
    const get = (name: string, identity?: string): Acceptor => {
      const connection = connections.get(identity ?? name) ?? this.#options.acceptor(process, name, identity);
      connections.set(identity ?? name, connection);
      return connection;
    };
    return {
      get,
      connect: async (next) => acceptorsOf(next).forEach((name) => get(name, next.identities?.[name])),
    };
  }
}
