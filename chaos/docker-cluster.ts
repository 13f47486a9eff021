import { NODES, PROPOSERS } from '../local/layout.js';
import { type ChaosCluster, ClusterTrouble, insist, isAlive, Scripts, untilItAnswers } from './cluster.js';
import type { Fault } from './fault.js';
import { type Finished, runProgram } from './script.js';

const PING_TIMEOUT_MS = 3_000;

/** The containers of a Compose project of its own. A node that is cut is disconnected from the one network, for a proposer from its clients, too. */
export class DockerCluster implements ChaosCluster {
  readonly kinds = { ofAcceptors: ['kill', 'pause', 'cut'], ofProposers: ['kill', 'pause', 'cut'], ofLinks: [] } as const;
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
    if (kind === 'kill' || kind === 'pause') await this.#scripts.fault(kind, target);
    else await insist('docker', ['network', 'disconnect', this.#network, this.#container(target)], this.#scripts);
  }

  async mend({ kind, target }: Fault): Promise<void> {
    if (kind === 'kill') await this.#scripts.fault('start', target);
    else if (kind === 'pause') await this.#scripts.fault('resume', target);
    // Compose gave the container this name in its network; a new connection has none.
    else await insist('docker', ['network', 'connect', '--alias', target, this.#network, this.#container(target)], this.#scripts);
    await untilItAnswers(target, () => (PROPOSERS.includes(target) ? isAlive(this.#portOf(target)) : this.#acceptorAnswers(target)));
  }

  control(command: readonly string[]): Promise<Finished> {
    return this.#scripts.control(command);
  }

  remove(): Promise<void> {
    return this.#scripts.clear();
  }

  get #project(): string {
    return this.#scripts.environment['COMPOSE_PROJECT_NAME'] ?? '';
  }

  get #network(): string {
    return `${this.#project}_cluster`;
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
    const args = ['exec', this.#container(acceptor), 'redis-cli', '-e', 'ping'];
    return (await runProgram('docker', args, { cwd: layout.root, env: environment, timeoutMs: PING_TIMEOUT_MS })).code === 0;
  }
}
