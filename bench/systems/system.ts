import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { layoutFrom } from '../../local/layout.js';
import type { NodeSpecs } from '../../local/nodes.js';
import { isFree } from '../../local/probe.js';
import { Reaper } from '../../local/reaper.js';
import { type Action, Supervisor } from '../../local/supervisor.js';
import type { Protocol } from '../load/stores.js';

/** `affinity`: this cluster, and clients that send each key to one proposer. `before`: the cluster of another build. */
export type SystemName = 'caspaxos' | 'affinity' | 'before' | 'etcd' | 'zookeeper' | 'express' | 'redis';

/** Something that is measured: servers that run on this machine. */
export interface System {
  readonly name: SystemName;
  readonly protocol: Protocol;
  /** `host:port` of each node for clients. */
  readonly addresses: readonly string[];
  readonly processes: Processes;
  /** Ends all of it and removes its data. */
  stop(): Promise<void>;
}

const START_TIMEOUT_MS = 30_000;
/** Below the range that the system gives to outgoing connections. */
const [LOWEST_PORT, HIGHEST_PORT] = [12_000, 20_000];

/** Processes under a supervisor, with a folder of their own, which vanish with the program that started them. */
export class Processes {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'bench-'));
  readonly root: string = layoutFrom({}).root;
  readonly #reaper = new Reaper(path.join(this.root, 'local/reaper.sh'));
  #supervisor: Supervisor | undefined;

  /** Resolves when each of them answers. @param specs the acceptors are ended last */
  async start(specs: NodeSpecs): Promise<void> {
    this.#supervisor = new Supervisor(specs, this.#reaper, () => undefined);
    try {
      await this.#supervisor.start(START_TIMEOUT_MS);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** By name. */
  get pids(): Readonly<Record<string, number>> {
    const lines = this.#supervisor?.describe().split('\n') ?? [];
    const nodes = lines.map((line) => line.split('\t'));
    return Object.fromEntries(nodes.map(([name = '', , pid]) => [name, Number(pid)]));
  }

  /** What `fault.sh` does. */
  async act(action: Action, name: string): Promise<void> {
    await this.#supervisor?.act(action, name);
  }

  /** Ends all of them and removes their data. */
  async stop(): Promise<void> {
    await this.#supervisor?.stop();
    await this.#reaper.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Stops a system that could not be made ready. */
export async function orStop<Result>(system: System, ready: Promise<Result>): Promise<Result> {
  try {
    return await ready;
  } catch (error) {
    await system.stop();
    throw error;
  }
}

/** Different ports that nobody listens on at the moment. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    const port = LOWEST_PORT + Math.floor(Math.random() * (HIGHEST_PORT - LOWEST_PORT));
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}
