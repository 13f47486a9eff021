import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { ACCEPTORS, addressMap, CONTROL, type Port, portsFrom, PROPOSERS } from '../../local/layout.js';
import { nodeSpecs } from '../../local/nodes.js';
import { Nodes } from '../../node-control/nodes/nodes.js';
import { carryOut } from '../../node-control/commands/carry-out.js';
import { overNetwork } from '../../node-control/nodes/connections.js';
import { addressesFrom, splitAddress } from '../../src/node/addresses.js';
import { DelayedLink } from './delayed-link.js';
import { freePorts, orStop, Processes, type System } from './system.js';

const VARIABLES = portsFrom({}).map(({ variable }) => variable);

export interface ClusterParts {
  /** With the service that shows the page. */
  readonly hasControl?: boolean;
  /** From each proposer to each acceptor, there and back; as many proposers as there are rows. 0: they are in one place. */
  readonly distancesMs?: readonly (readonly number[])[];
}

/** Real acceptors and proposers in a folder and on ports of their own: what `build-run.sh --local` starts. */
export class BenchCluster implements System {
  readonly name = 'caspaxos';
  readonly protocol = 'proposer';
  readonly processes: Processes;
  readonly #ports: readonly Port[];
  readonly #addressesFile: string;
  readonly #links: DelayedLink[] = [];
  readonly proposers: readonly string[];
  /** The control node's view of it. */
  readonly control: Nodes;

  private constructor(processes: Processes, ports: readonly Port[], proposers: readonly string[]) {
    this.processes = processes;
    this.proposers = proposers;
    this.#ports = ports;
    const addresses = addressMap(ports);
    this.#addressesFile = path.join(processes.folder, 'addresses.json');
    writeFileSync(this.#addressesFile, JSON.stringify(addresses));
    this.control = new Nodes(proposers, this.acceptors, overNetwork(addressesFrom(addresses)));
  }

  /** Without any configuration. @param node the binary that runs the proposers */
  static async start(node = process.execPath, { hasControl = false, distancesMs }: ClusterParts = {}): Promise<BenchCluster> {
    const proposers = distancesMs?.map((_, at) => `proposer-${at + 1}`) ?? PROPOSERS;
    const more = proposers
      .slice(PROPOSERS.length)
      .flatMap((name) => [8080, 8090].map((port) => ({ node: name, logical: `${name}:${port}` })));
    const numbers = await freePorts(VARIABLES.length + more.length);
    const ports = [
      ...portsFrom(Object.fromEntries(VARIABLES.map((name, at) => [name, String(numbers[at])]))),
      ...more.map((port, at) => ({ ...port, variable: '', port: numbers[VARIABLES.length + at] ?? NaN })),
    ];
    const processes = new Processes();
    const { folder, root } = processes;
    const cluster = new BenchCluster(processes, ports, proposers);
    const socket = path.join(folder, 'supervisor.sock');
    const places = { logs: path.join(folder, 'logs'), heldNotes: path.join(folder, 'held') };
    const layout = { root, folder, socket, addressesFile: cluster.#addressesFile, ...places };
    const far = distancesMs && { ACCEPTOR_TIMEOUT_MS: '1000' };
    const { acceptors, others } = nodeSpecs(layout, ports, { ...process.env, LOG_LEVEL: 'warn', ...far }, proposers);
    const measured = others.filter(({ name }) => hasControl || name !== CONTROL).map((spec) => ({ ...spec, command: node }));
    for (const [at, distances] of distancesMs?.entries() ?? []) {
      const spec = measured.find(({ name }) => name === proposers[at]);
      if (spec) spec.env = { ...spec.env, ADDRESS_MAP: await orStop(cluster, cluster.#faraway(spec.name, distances)) };
    }
    await processes.start({ acceptors, others: measured });
    return cluster;
  }

  /** With all three acceptors, and majorities as quorums. */
  static async startConfigured(node: string, parts: ClusterParts = {}): Promise<BenchCluster> {
    const cluster = await BenchCluster.start(node, parts);
    await orStop(cluster, carryOut({ verb: 'resize', acceptors: cluster.acceptors }, cluster.control));
    return cluster;
  }

  /** As configurations name them. */
  get acceptors(): string[] {
    return ACCEPTORS.map((name) => `${name}:6379`);
  }

  /** Of the proposers' ports for clients. */
  get addresses(): readonly string[] {
    return this.proposers.map((name) => this.addressOf(`${name}:8080`));
  }

  /** The environment of a program that finds the cluster by it. */
  get environment(): NodeJS.ProcessEnv {
    return { PATH: process.env['PATH'], ADDRESS_MAP: this.#addressesFile };
  }

  /** @param logical as `proposer-1:8080` */
  addressOf(logical: string): string {
    return addressMap(this.#ports)[logical] ?? logical;
  }

  pidOf(node: string): number {
    return this.processes.pids[node] ?? NaN;
  }

  /** Opens the ways to acceptors that are elsewhere. Returns the file with the addresses as this proposer is to have them. */
  async #faraway(proposer: string, distancesMs: readonly number[]): Promise<string> {
    const addresses = addressMap(this.#ports);
    for (const [at, distanceMs] of distancesMs.entries()) {
      const acceptor = this.acceptors[at] ?? '';
      if (distanceMs === 0) continue;
      const [port = NaN] = await freePorts(1);
      this.#links.push(await DelayedLink.open(port, splitAddress(this.addressOf(acceptor)).port, distanceMs / 2));
      addresses[acceptor] = `127.0.0.1:${port}`;
    }
    const file = path.join(this.processes.folder, `addresses-${proposer}.json`);
    writeFileSync(file, JSON.stringify(addresses));
    return file;
  }

  /** Ends all of it and removes its data. */
  async stop(): Promise<void> {
    for (const link of this.#links) link.close();
    await this.control.close();
    await this.processes.stop();
  }
}
