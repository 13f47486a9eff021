import { KeyQueue } from '../../src/store/key-queue.js';
import { ReconfigurableProposer } from '../../src/store/reconfigurable-proposer.js';
import type { Random } from '../../client/random.js';
import { acceptorsOf, type Configuration } from '../../src/protocol/configuration.js';
import { KeyValue } from '../../src/store/kv.js';
import { sleep } from '../../src/protocol/time.js';
import { Proposer } from '../../src/protocol/proposer.js';
import type { Acceptor } from '../../src/protocol/acceptor.js';
import { Process } from './process.js';
import type { VirtualTime } from './virtual-time.js';

const RESOLVE_PAUSE_MS = 5;
const RETRY_PAUSE_MS = 5;
/** How long operations wait for others of their key, and are repeated. */
const PATIENCE_MS = 300;

/** What a started proposer consists of. */
export interface Running {
  readonly process: Process;
  readonly proposer: Proposer;
  readonly kv: KeyValue;
  /** Operations that do not want to be refused where another one is under way. */
  readonly queue: KeyQueue;
  readonly member: ReconfigurableProposer;
}

export interface ProposerNodeOptions {
  readonly name: string;
  readonly id: number;
  readonly configuration: Configuration;
  readonly time: VirtualTime;
  readonly random: Random;
  readonly timeoutMs: number;
  /** See {@link ProposerOptions.lateMs}. */
  readonly lateMs?: number;
  readonly resolveMs: number;
  /** An acceptor across the network, for one process of this node. */
  readonly acceptor: (caller: Process, name: string, identity: string | undefined) => Acceptor;
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
    const { id, time, random, timeoutMs, lateMs, resolveMs, acceptor } = this.#options;
    const disk = this.#disk;
    disk.incarnation += 1;
    const { configuration, incarnation } = disk;
    const process = new Process(time);
    const connections = new Map<string, Acceptor>();
    const connect = (node: string, identity?: string): Acceptor => {
      const connection = connections.get(identity ?? node) ?? acceptor(process, node, identity);
      connections.set(identity ?? node, connection);
      return connection;
    };
    const proposer = new Proposer({
      id,
      incarnation,
      configuration,
      acceptor: connect,
      time: process.time,
      timeoutMs,
      ...(lateMs === undefined ? {} : { lateMs }),
    });
    let operations = 0;
    const kv = new KeyValue({
      proposer,
      nextOperationId: () => `${id}.${incarnation}.${(operations += 1)}`,
      time: process.time,
      random,
      resolveMs,
      backoffMs: RESOLVE_PAUSE_MS,
    });
    const repeat = async (attempt: () => Promise<void>): Promise<void> => {
      for (;;) {
        try {
          await attempt();
          return;
        } catch {
          await sleep(process.time, random() * RETRY_PAUSE_MS);
        }
      }
    };
    const queue = new KeyQueue({ kv, patienceMs: PATIENCE_MS, nowMs: () => process.time.nowMs(), repeat });
    const member = new ReconfigurableProposer({
      identity: { proposer: id, incarnation },
      proposer,
      acceptors: {
        connect: async (next) => acceptorsOf(next).forEach((node) => connect(node, next.identities?.[node])),
        retain: () => undefined,
      },
      addresses: (acceptorName) => acceptorName,
      state: { saveConfiguration: (next) => void (disk.configuration = next) },
      log: { info: () => undefined, error: () => undefined },
    });
    this.#running = { process, proposer, kv, queue, member };
  }
}
