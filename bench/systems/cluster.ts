import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { ACCEPTORS, addressMap, CONTROL, type Port, portsFrom, PROPOSERS } from '../../local/layout.js';
import { nodeSpecs } from '../../local/nodes.js';
import { Nodes } from '../../node-control/nodes/nodes.js';
import { carryOut } from '../../node-control/commands/carry-out.js';
import { overNetwork } from '../../node-control/nodes/connections.js';
import { addressesFrom } from '../../src/node/addresses.js';
import { freePorts, orStop, Processes, type System } from './system.js';

const VARIABLES = [
  'ACCEPTOR_1',
  'ACCEPTOR_2',
  'ACCEPTOR_3',
  'PROPOSER_1',
  'PROPOSER_2',
  'PROPOSER_1_ADMIN',
  'PROPOSER_2_ADMIN',
  'CONTROL',
  'CLIENT',
];

/** Real acceptors and proposers in a folder and on ports of their own: what `build-run.sh --local` starts. */
export class BenchCluster implements System {
  readonly name = 'caspaxos';
  readonly protocol = 'proposer';
  readonly processes: Processes;
  readonly #ports: readonly Port[];
  readonly #addressesFile: string;
  /** The control node's view of it. */
  readonly control: Nodes;

  private constructor(processes: Processes, ports: readonly Port[]) {
    this.processes = processes;
    this.#ports = ports;
    const addresses = addressMap(ports);
    this.#addressesFile = path.join(processes.folder, 'addresses.json');
    writeFileSync(this.#addressesFile, JSON.stringify(addresses));
    this.control = new Nodes(PROPOSERS, this.acceptors, overNetwork(addressesFrom(addresses)));
  }

  /** Without any configuration. @param node the binary that runs the proposers @param hasControl with the service that shows the page */
  static async start(node = process.execPath, { hasControl = false } = {}): Promise<BenchCluster> {
    const numbers = await freePorts(VARIABLES.length);
    const ports = portsFrom(Object.fromEntries(VARIABLES.map((name, at) => [`${name}_PORT`, String(numbers[at])])));
    const processes = new Processes();
    const { folder, root } = processes;
    const cluster = new BenchCluster(processes, ports);
    const socket = path.join(folder, 'supervisor.sock');
    const places = { logs: path.join(folder, 'logs'), heldNotes: path.join(folder, 'held') };
    const layout = { root, folder, socket, addressesFile: cluster.#addressesFile, ...places };
    const { acceptors, others } = nodeSpecs(layout, ports, { ...process.env, LOG_LEVEL: 'warn' });
    const measured = others.filter(({ name }) => hasControl || name !== CONTROL);
    await processes.start({ acceptors, others: measured.map((spec) => ({ ...spec, command: node })) });
    return cluster;
  }

  /** With all three acceptors, and majorities as quorums. */
  static async startConfigured(node: string, parts = { hasControl: false }): Promise<BenchCluster> {
    const cluster = await BenchCluster.start(node, parts);
    await orStop(cluster, carryOut({ verb: 'resize', acceptors: cluster.acceptors }, cluster.control));
    return cluster;
  }

  /** As configurations name them. */
  get acceptors(): string[] {
    return ACCEPTORS.map((name) => `${name}:6379`);
  }

  get proposers(): readonly string[] {
    return PROPOSERS;
  }

  /** Of the proposers' ports for clients. */
  get addresses(): readonly string[] {
    return PROPOSERS.map((name) => this.addressOf(`${name}:8080`));
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

  /** Ends all of it and removes its data. */
  async stop(): Promise<void> {
    await this.control.close();
    await this.processes.stop();
  }
}
