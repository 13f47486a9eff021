import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { carryOut } from '../../node-control/commands/carry-out.js';
import { UNSEEN } from '../../node-control/terminal/terminal.js';
import type { Nodes } from '../../node-control/nodes/nodes.js';
import { ControlError } from '../../node-control/safety/objection.js';
import { residentMib } from '../memory.js';
import { BenchCluster } from '../systems/cluster.js';
import { Churn } from './churn.js';
import { type Occupancy, OccupancyWatch } from './occupancy.js';

/** As `docker-compose.yml` has it. */
const MAXMEMORY_BYTES = 256 * 2 ** 20;
/** Between two looks at the acceptors: their files rise and fall within seconds. */
const LOOK_EVERY_MS = 500;
/** What still differs between acceptors goes another time. */
const FINAL_PASSES = 5;

export interface DeletionsOptions {
  readonly operations: number;
  readonly keys: number;
  readonly clients: number;
  /** From the end of a collection to the next one. */
  readonly collectEveryMs: number;
  /** After which it ends although not all operations are done. */
  readonly timeLimitMs: number;
  /** Into so many stretches the figures are divided. */
  readonly stretches: number;
  readonly progress: (text: string, fraction: number) => void;
  readonly signal: AbortSignal;
}

/** What was highest in a stretch of the operations. */
export interface Stretch {
  /** Acknowledged at its end. */
  readonly operations: number;
  readonly seconds: number;
  /** By acceptor. */
  readonly highest: Readonly<Record<string, Occupancy>>;
  /** Resident, in MiB, by proposer. */
  readonly proposersMib: Readonly<Record<string, number>>;
}

export interface DeletionsFigures {
  readonly options: Pick<DeletionsOptions, 'operations' | 'keys' | 'clients' | 'collectEveryMs'>;
  readonly stretches: readonly Stretch[];
  readonly collections: number;
  /** Registers of deleted keys. */
  readonly collected: number;
  /** What the last one said, or why it was not possible. */
  readonly lastCollection: string;
  /** Registers on each acceptor at the end, when all keys were deleted and collected. */
  readonly left: readonly number[];
  /** Requests of clients that were not done, by the code of the answer. */
  readonly refusals: Readonly<Record<string, number>>;
}

/** Creates and deletes the same keys again and again on a cluster of its own, while what was deleted is collected, and watches what the acceptors take up. */
export async function measureDeletions(options: DeletionsOptions): Promise<DeletionsFigures> {
  const { operations, keys, clients, collectEveryMs, signal } = options;
  const cluster = await BenchCluster.startConfigured(process.execPath);
  const watches = new Map<string, OccupancyWatch>();
  let collections: Collections | undefined;
  let churn: Churn | undefined;
  try {
    for (const name of cluster.acceptors) {
      const [node = ''] = name.split(':');
      watches.set(node, new OccupancyWatch(cluster.addressOf(name), path.join(cluster.processes.folder, node)));
    }
    for (const watch of watches.values()) await watch.limitMemory(MAXMEMORY_BYTES);
    churn = new Churn({ addresses: cluster.addresses, clients, keys, operations });
    collections = new Collections(cluster.control, collectEveryMs);
    const stretches = await watchChurn(cluster, churn, watches, options);
    await churn.stop();
    await collections.stop();
    signal.throwIfAborted();
    // The clients have left no key: what the last collection leaves is left for good.
    const registers = (): Promise<number[]> => Promise.all([...watches.values()].map(async (watch) => (await watch.look()).registers));
    let left = await registers();
    for (let pass = 0; pass < FINAL_PASSES && left.some((count) => count > 0); pass += 1) {
      await collections.once();
      left = await registers();
    }
    return {
      options: { operations, keys, clients, collectEveryMs },
      stretches,
      collections: collections.count,
      collected: collections.removed,
      lastCollection: collections.said,
      left,
      refusals: Object.fromEntries(churn.refusals),
    };
  } finally {
    await churn?.stop();
    await collections?.stop();
    for (const watch of watches.values()) watch.close();
    await cluster.stop();
  }
}

async function watchChurn(
  cluster: BenchCluster,
  churn: Churn,
  watches: ReadonlyMap<string, OccupancyWatch>,
  { operations, timeLimitMs, stretches: count, progress, signal }: DeletionsOptions,
): Promise<Stretch[]> {
  const startMs = performance.now();
  const elapsedMs = (): number => performance.now() - startMs;
  const stretches: Stretch[] = [];
  let highest: Record<string, Occupancy> = {};
  for (;;) {
    const isLast = churn.isOver || elapsedMs() >= timeLimitMs;
    for (const [name, watch] of watches) highest[name] = higher(highest[name], await watch.look());
    progress(`${churn.done} of ${operations} creates and deletes`, churn.done / operations);
    if (isLast || (stretches.length < count - 1 && churn.done >= ((stretches.length + 1) * operations) / count)) {
      const proposersMib: Record<string, number> = {};
      for (const name of cluster.proposers) proposersMib[name] = await residentMib(cluster.pidOf(name));
      stretches.push({ operations: churn.done, seconds: elapsedMs() / 1_000, highest, proposersMib });
      highest = {};
    }
    if (isLast) return stretches;
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}

/** Of each figure the higher one. */
function higher(one: Occupancy | undefined, other: Occupancy): Occupancy {
  if (!one) return other;
  return {
    memoryBytes: Math.max(one.memoryBytes, other.memoryBytes),
    fileBytes: Math.max(one.fileBytes, other.fileBytes),
    baseBytes: Math.max(one.baseBytes, other.baseBytes),
    registers: Math.max(one.registers, other.registers),
    rewrites: Math.max(one.rewrites, other.rewrites),
  };
}

/** What `run-control.sh collect` does, again and again. */
class Collections {
  readonly #control: Nodes;
  readonly #everyMs: number;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  count = 0;
  /** Registers of deleted keys. */
  removed = 0;
  said = '';

  constructor(control: Nodes, everyMs: number) {
    this.#control = control;
    this.#everyMs = everyMs;
    this.#ended = this.#run();
  }

  /** After the one that is under way. */
  stop(): Promise<void> {
    this.#stop.abort();
    return this.#ended;
  }

  async once(): Promise<void> {
    try {
      const lines = await carryOut({ verb: 'collect' }, this.#control, UNSEEN);
      this.removed += lines.reduce((sum, line) => sum + Number(/^(\d+) registers? of deleted keys removed/.exec(line)?.[1] ?? 0), 0);
      this.count += 1;
      this.said = lines.join('; ');
    } catch (error) {
      // A node of a busy machine may answer too late; the next one begins anew.
      if (!(error instanceof ControlError)) throw error;
      this.said = error.message;
    }
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.once();
      await sleep(this.#everyMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }
}
