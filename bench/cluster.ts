import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ACCEPTORS, addressMap, type Layout, layoutFrom, type Port, portsFrom, PROPOSERS } from '../local/layout.js';
import { nodeSpecs } from '../local/nodes.js';
import { Reaper } from '../local/reaper.js';
import { Supervisor } from '../local/supervisor.js';
import { Cluster } from '../node-control/cluster.js';
import { overNetwork } from '../node-control/connections.js';
import { addressesFrom } from '../src/addresses.js';

const START_TIMEOUT_MS = 30_000;
const VARIABLES = ['ACCEPTOR_1', 'ACCEPTOR_2', 'ACCEPTOR_3', 'PROPOSER_1', 'PROPOSER_2', 'PROPOSER_1_ADMIN', 'PROPOSER_2_ADMIN', 'CONTROL'];

/** Real acceptors and proposers in a folder and on ports of their own: what `build-run.sh --local` starts. */
export class BenchCluster {
  readonly folder: string;
  readonly #layout: Layout;
  readonly #ports: readonly Port[];
  readonly #reaper: Reaper;
  readonly #supervisor: Supervisor;
  /** The control node's view of it. */
  readonly control: Cluster;

  private constructor(folder: string, ports: readonly Port[]) {
    const { root } = layoutFrom({});
    this.folder = folder;
    this.#ports = ports;
    const addressesFile = path.join(folder, 'addresses.json');
    this.#layout = { root, folder, socket: path.join(folder, 'supervisor.sock'), addressesFile, logs: path.join(folder, 'logs') };
    const addresses = addressMap(ports);
    writeFileSync(addressesFile, JSON.stringify(addresses));
    this.#reaper = new Reaper(path.join(root, 'local/reaper.sh'));
    const specs = nodeSpecs(this.#layout, ports, { ...process.env, LOG_LEVEL: 'warn' });
    this.#supervisor = new Supervisor(specs, this.#reaper, () => undefined);
    this.control = new Cluster(PROPOSERS, this.acceptors, overNetwork(addressesFrom(addresses)));
  }

  static async start(): Promise<BenchCluster> {
    const ports = await freePorts();
    const cluster = new BenchCluster(mkdtempSync(path.join(tmpdir(), 'bench-')), ports);
    try {
      await cluster.#supervisor.start(START_TIMEOUT_MS);
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** As configurations name them. */
  get acceptors(): string[] {
    return ACCEPTORS.map((name) => `${name}:6379`);
  }

  get proposers(): readonly string[] {
    return PROPOSERS;
  }

  /** The environment of a program that finds the cluster by it. */
  get environment(): NodeJS.ProcessEnv {
    return { PATH: process.env['PATH'], ADDRESS_MAP: this.#layout.addressesFile };
  }

  get root(): string {
    return this.#layout.root;
  }

  /** @param logical as `proposer-1:8080` */
  addressOf(logical: string): string {
    return addressMap(this.#ports)[logical] ?? logical;
  }

  pidOf(node: string): number {
    const line = this.#supervisor
      .describe()
      .split('\n')
      .find((candidate) => candidate.startsWith(`${node}\t`));
    return Number(line?.split('\t')[2]);
  }

  /** Ends all of it and removes its data. */
  async stop(): Promise<void> {
    await this.control.close();
    await this.#supervisor.stop();
    await this.#reaper.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function freePorts(): Promise<Port[]> {
  const environment: Record<string, string> = {};
  const taken = new Set<number>();
  for (const variable of VARIABLES) {
    let port: number;
    do port = 20_000 + Math.floor(Math.random() * 12_000);
    while (taken.has(port) || !(await isFree(port)));
    taken.add(port);
    environment[`${variable}_PORT`] = String(port);
  }
  return portsFrom(environment);
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
