import type { Acceptor } from '../../src/protocol/acceptor.js';
import { acceptorsOf, type Configuration, isConfigured } from '../../src/protocol/configuration.js';
import type { GreetedMemory } from '../../src/redis/memory-greeting.js';
import { compareBallots } from '../../src/protocol/ballot.js';
import { anonymous, type Introduction } from '../../src/store/greeting.js';
import type { Acceptors, StoreOptions } from '../../src/store/options.js';
import { createStore, type Store } from '../../src/store/store.js';
import { absentUnder } from './acceptor-node.js';
import type { GreetedLink } from './greeted-link.js';
import { Process } from './process.js';
import type { VirtualTime } from './virtual-time.js';

/** What a started proposer consists of. */
export interface Running {
  readonly process: Process;
  readonly store: Store;
  readonly start: { readonly proposer: number; readonly incarnation: number };
  /** Its connections to acceptors that are greeted, by their identities. */
  readonly links: ReadonlyMap<string, GreetedLink>;
}

export interface ProposerNodeOptions {
  readonly name: string;
  readonly id: number;
  readonly configuration: Configuration;
  readonly time: VirtualTime;
  /** Whether copies of its state folder are kept, which may be put back; else none are. */
  readonly hasMoments?: boolean;
  /** An acceptor across the network, for one process of this node. */
  readonly acceptor: (caller: Process, name: string, identity: string | undefined) => Acceptor;
  /** The same, greeted; undefined where nobody is. */
  readonly link?: (caller: Process, name: string, identity: string, introduction: Introduction) => GreetedLink;
  /** The store's options that are not a node's business, for one process of this node. */
  readonly options: (process: Process) => Omit<StoreOptions, 'id' | 'state' | 'acceptors'>;
}

/** What the state folder of a proposer held at an earlier moment. */
interface FolderCopy {
  readonly configuration: Configuration;
  readonly beats: ReadonlyMap<string, number>;
}

/** A proposer with a disk: its configuration and its incarnation outlast its crashes, nothing else does. */
export class ProposerNode {
  readonly name: string;
  readonly id: number;
  readonly #options: ProposerNodeOptions;
  readonly #disk: { configuration: Configuration; incarnation: number; beats: Map<string, number> };
  /** Copies of its state folder from before each change of a configuration that had acceptors, the latest last. */
  readonly moments: FolderCopy[] = [];
  #running: Running | undefined;

  constructor(options: ProposerNodeOptions) {
    this.name = options.name;
    this.id = options.id;
    this.#options = options;
    this.#disk = { configuration: options.configuration, incarnation: 0, beats: new Map() };
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

  /** Whether it would see that an acceptor is as it was at an earlier moment, by the one or the other of the two that it remembers. */
  wouldNotice(identity: string, { beats = 0, registers, floor }: GreetedMemory, by: 'by its disk' | 'by what it was told last'): boolean {
    if (by === 'by its disk') return this.#beatsOf(identity) > beats;
    const confirmed = this.#running?.links.get(identity)?.confirmed;
    const { promise } = registers.get(confirmed?.key ?? '') ?? absentUnder(floor);
    return confirmed !== undefined && compareBallots(confirmed.promise, promise) > 0;
  }

  #beatsOf(identity: string): number {
    return this.#disk.beats.get(identity) ?? 0;
  }

  get isUp(): boolean {
    return this.#running !== undefined;
  }

  crash(): void {
    this.#running?.process.kill();
    this.#running = undefined;
  }

  /** While it is down its state folder becomes what it was. The incarnation does not go back with it: it is taken from the clock where that is ahead. */
  putBack({ configuration, beats }: FolderCopy): void {
    Object.assign(this.#disk, { configuration, beats: new Map(beats) });
  }

  start(): void {
    if (this.#running) return;
    const { id, time, hasMoments, options } = this.#options;
    const disk = this.#disk;
    disk.incarnation += 1;
    const { incarnation } = disk;
    const process = new Process(time);
    const state = {
      configuration: disk.configuration,
      incarnation,
      beats: {
        of: (identity: string) => this.#beatsOf(identity),
        note: (identity: string, count: number) => void disk.beats.set(identity, count),
      },
      saveConfiguration: (next: Configuration) => {
        const { configuration, beats } = disk;
        if (hasMoments && isConfigured(configuration)) this.moments.push({ configuration, beats: new Map(beats) });
        disk.configuration = next;
      },
    };
    const links = new Map<string, GreetedLink>();
    const acceptors = this.#acceptorsFor(process, links);
    const store = createStore({ id, state, acceptors, time: process.time, ...options(process) });
    // As the program does at its start: an acceptor that no request has needed yet is greeted, too.
    void acceptors.connect?.(disk.configuration);
    this.#running = { process, store, start: { proposer: id, incarnation }, links };
  }

  /** One connection for each, opened when it is first asked for. */
  #acceptorsFor(process: Process, links: Map<string, GreetedLink>): Acceptors {
    const connections = new Map<string, Acceptor>();
    let introduction = anonymous();
    const get = (name: string, identity?: string): Acceptor => {
      const present = connections.get(identity ?? name);
      if (present) return present;
      const { acceptor, link } = this.#options;
      const greeted = identity === undefined ? undefined : link?.(process, name, identity, introduction);
      if (greeted && identity !== undefined) links.set(identity, greeted);
      const connection = greeted?.acceptor ?? acceptor(process, name, identity);
      connections.set(identity ?? name, connection);
      return connection;
    };
    return {
      introduce: (given) => void (introduction = given),
      get,
      connect: async (next) => acceptorsOf(next).forEach((name) => get(name, next.identities?.[name])),
    };
  }
}
