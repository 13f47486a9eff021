import { readFileSync } from 'node:fs';
import { NODES, PROPOSERS } from '../../local/layout.js';
import { httpAnswers } from '../../local/probe.js';
import { type ChaosCluster, ClusterTrouble, insist, Scripts, untilItAnswers } from './cluster.js';
import type { Fault } from './fault.js';
import { type Finished, runProgram } from './script.js';

const PING_TIMEOUT_MS = 3_000;
/** For a proposer to say that it is alive; that it reaches its acceptors is another matter. */
const ALIVE_MS = 500;
const PAUSES_TRIED = 5;

/** The containers of a Compose project of its own. A node that is cut is disconnected from the others; a proposer not from the control node, through whose network its published port still answers. */
export class DockerCluster implements ChaosCluster {
  readonly kinds = { ofAcceptors: ['kill', 'pause', 'cut'], ofProposers: ['kill', 'pause', 'cut'], ofLinks: [] } as const;
  readonly omissions = [];
  readonly #scripts: Scripts;
  readonly #containers = new Map<string, string>();

  private constructor(scripts: Scripts) {
    this.#scripts = scripts;
  }

  static async prepare(): Promise<DockerCluster> {
    return new DockerCluster(await Scripts.prepare('docker'));
  }

  get folder(): string {
    return this.#scripts.layout.root;
  }

  addressOf(proposer: string): string {
    return `127.0.0.1:${this.#portOf(proposer)}`;
  }

  async start(): Promise<void> {
    await this.#scripts.clear();
    await this.#scripts.start();
    for (const node of NODES) {
      const label = 'label=com.docker.compose';
      const filters = ['--filter', `${label}.project=${this.#project}`, '--filter', `${label}.service=${node}`];
      const id = await insist('docker', ['ps', '--quiet', ...filters], this.#scripts);
      if (!/^\w+$/.test(id)) throw new ClusterTrouble(`${node} has no container in the project ${this.#project}`);
      this.#containers.set(node, id);
    }
  }

  async inflict({ kind, target }: Fault): Promise<void> {
    if (kind === 'kill') await this.#scripts.fault(kind, target);
    else if (kind === 'pause') await this.#pause(target);
    else
      for (const network of this.#networksOf(target))
        await insist('docker', ['network', 'disconnect', network, this.#container(target)], this.#scripts);
  }

  async mend({ kind, target }: Fault): Promise<void> {
    if (kind === 'kill') await this.#scripts.fault('start', target);
    else if (kind === 'pause') await this.#scripts.fault('resume', target);
    // Compose gave the container this name in its networks; a new connection has none.
    else
      for (const network of this.#networksOf(target))
        await insist('docker', ['network', 'connect', '--alias', target, network, this.#container(target)], this.#scripts);
    await untilItAnswers(target, () =>
      PROPOSERS.includes(target) ? httpAnswers(this.#portOf(target), ALIVE_MS) : this.#acceptorAnswers(target),
    );
  }

  control(command: readonly string[]): Promise<Finished> {
    return this.#scripts.control(command);
  }

  remove(): Promise<void> {
    return this.#scripts.clear();
  }

  /** On a busy machine the engine cannot freeze every container at the first attempt, and leaves it as it was. */
  async #pause(target: string): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#scripts.fault('pause', target);
        return;
      } catch (error) {
        if (attempt === PAUSES_TRIED || !String(error).includes('unable to freeze')) throw error;
      }
    }
  }

  get #project(): string {
    return this.#scripts.environment['COMPOSE_PROJECT_NAME'] ?? '';
  }

  /** Those that the protocol runs over: its admin port does not survive that a proposer gets another address. */
  #networksOf(node: string): string[] {
    return (PROPOSERS.includes(node) ? ['acceptors', 'clients'] : ['acceptors', 'control-acceptors']).map(
      (name) => `${this.#project}_${name}`,
    );
  }

  #portOf(proposer: string): number {
    return this.#scripts.port(`PROPOSER_${proposer.slice(-1)}_PORT`);
  }

  #container(node: string): string {
    const id = this.#containers.get(node);
    if (id === undefined) throw new TypeError(`no container of ${node}`);
    return id;
  }

  /** Not while it loads its data: then the ping is an error. */
  async #acceptorAnswers(acceptor: string): Promise<boolean> {
    const { layout, environment } = this.#scripts;
    const password = readFileSync(`${layout.root}/.secrets/${this.#project}/control-password`, 'utf8');
    const args = ['exec', '--env', `REDISCLI_AUTH=${password}`, this.#container(acceptor), 'redis-cli', '-e', '--user', 'control', 'ping'];
    return (await runProgram('docker', args, { cwd: layout.root, env: environment, timeoutMs: PING_TIMEOUT_MS })).code === 0;
  }
}
