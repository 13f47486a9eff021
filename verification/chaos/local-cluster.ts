import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:net';
import path from 'node:path';
import { ACCEPTORS, PROPOSERS } from '../../local/layout.js';
import { type ChaosCluster, ClusterTrouble, insist, Scripts } from './cluster.js';
import { type Fault, isLink, linkBetween, separates } from './fault.js';
import { NodeDisks } from './node-disks.js';
import type { FaultKinds } from './fault-schedule.js';
import type { Finished } from './script.js';
import { TcpLink } from './tcp-link.js';

/** Enough for the child that rewrites an acceptor's file to be at any point of its work. */
const REWRITE_MS_MAX = 60;

/**
 * Local processes under their own supervisor, with a relay in each link between a proposer and an acceptor. A proposer reads the address
 * map when it starts; so the map is given the proposer's own relays just before.
 */
export class LocalCluster implements ChaosCluster {
  readonly #scripts: Scripts;
  readonly #links = new Map<string, TcpLink>();
  readonly #disks: NodeDisks;
  /** Why no node has a disk of its own that could be broken; undefined where each has one. */
  #noDisks: string | undefined;
  /** Of power cuts of acceptors: every other one comes while the acceptor rewrites its file. */
  #cuts = 0;
  /** One at a time, because there is one address map. */
  #starts: Promise<void> = Promise.resolve();

  private constructor(scripts: Scripts) {
    this.#scripts = scripts;
    this.#disks = new NodeDisks(scripts);
  }

  static async prepare(): Promise<LocalCluster> {
    return new LocalCluster(await Scripts.prepare('local'));
  }

  get kinds(): FaultKinds {
    const hasDisks = this.#noDisks === undefined;
    return {
      ofAcceptors: ['kill', 'pause', 'cut', 'mute', ...(hasDisks ? (['power', 'full', 'error', 'slow'] as const) : [])],
      ofProposers: ['kill', 'pause', 'cut', ...(hasDisks ? (['power'] as const) : [])],
      ofLinks: ['cut', 'mute'],
    };
  }

  get omissions(): string[] {
    return this.#noDisks === undefined ? [] : [`No faults of disks: ${this.#noDisks}`];
  }

  get folder(): string {
    return this.#scripts.layout.root;
  }

  addressOf(proposer: string): string {
    return `127.0.0.1:${this.#scripts.port(`PROPOSER_${proposer.slice(-1)}_PORT`)}`;
  }

  async start(): Promise<void> {
    await this.#clear();
    try {
      await this.#disks.mountAll();
    } catch (error) {
      if (!(error instanceof ClusterTrouble)) throw error;
      this.#noDisks = error.message;
      await this.#clear();
    }
    await this.#letRewrite();
    await this.#scripts.start();
    for (const proposer of PROPOSERS) {
      for (const acceptor of ACCEPTORS) {
        this.#links.set(linkBetween(proposer, acceptor), await TcpLink.open(this.#scripts.port(`ACCEPTOR_${acceptor.slice(-1)}_PORT`)));
      }
      await this.#scripts.fault('kill', proposer);
      await this.#startNode(proposer);
    }
  }

  async inflict({ kind, target }: Fault): Promise<void> {
    if (kind === 'kill' || kind === 'pause') await this.#scripts.fault(kind, target);
    else if (kind === 'power') await this.#cutPower(target);
    else if (kind === 'full') await this.#disks.fill(target);
    else if (kind === 'error') await this.#disks.breakFileSystem(target);
    else if (kind === 'slow') await this.#disks.freeze(target);
    else for (const link of this.#linksOf(target)) link.set(kind);
  }

  async mend({ kind, target }: Fault): Promise<void> {
    if (kind === 'kill' || kind === 'power') await this.#startNode(target);
    else if (kind === 'full' || kind === 'error') {
      await this.#scripts.fault('kill', target);
      await this.#disks.repair(target);
      await this.#startNode(target);
    } else if (kind === 'slow') await this.#disks.thaw(target);
    else if (kind === 'pause') await this.#scripts.fault('resume', target);
    else for (const link of this.#linksOf(target)) link.set('whole');
  }

  control(command: readonly string[]): Promise<Finished> {
    return this.#scripts.control(command);
  }

  async remove(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link.close()));
    this.#links.clear();
    await this.#clear();
  }

  /** Also what an earlier run left that crashed. */
  async #clear(): Promise<void> {
    // What waits for its disk cannot be ended.
    await this.#disks.thawAll();
    await this.#scripts.stop();
    await this.#disks.removeAll();
    await this.#scripts.clear();
  }

  /** Adds a Redis user that may order a rewrite, and nothing else. */
  async #letRewrite(): Promise<void> {
    const { root, secrets } = this.#scripts.layout;
    await insist('bash', [path.join(root, 'node-control/scripts/make-secrets.sh'), secrets], this.#scripts);
    appendFileSync(path.join(secrets, 'users.acl'), 'user chaos on nopass resetchannels -@all +bgrewriteaof\n');
  }

  async #cutPower(node: string): Promise<void> {
    const pid = await this.#pidOf(node);
    const freeze = async (): Promise<void> => {
      if (ACCEPTORS.includes(node) && (this.#cuts += 1) % 2 === 0) {
        await this.#beginRewrite(node);
        await new Promise((resolve) => setTimeout(resolve, (this.#cuts * 7) % REWRITE_MS_MAX));
      }
      process.kill(-pid, 'SIGSTOP');
    };
    await this.#disks.cutPower(node, freeze, () => this.#scripts.fault('kill', node));
  }

  /** Of the leader of its process group. */
  async #pidOf(node: string): Promise<number> {
    const nodes = await insist(process.execPath, [path.join(this.#scripts.layout.root, 'dist/local/main.js'), 'nodes'], this.#scripts);
    const [, pid] = new RegExp(`^${node}\\t\\w+\\t(\\d+)$`, 'm').exec(nodes) ?? [];
    if (pid === undefined) throw new ClusterTrouble(`${node} does not run, so that its power cannot be cut:\n${nodes}`);
    return Number(pid);
  }

  async #beginRewrite(acceptor: string): Promise<void> {
    const socket = connect(this.#scripts.port(`ACCEPTOR_${acceptor.slice(-1)}_PORT`), '127.0.0.1');
    socket.on('error', () => undefined);
    socket.end('AUTH chaos -\r\nBGREWRITEAOF\r\n');
    socket.resume();
    await once(socket, 'close');
  }

  #linksOf(target: string): TcpLink[] {
    return PROPOSERS.flatMap((proposer) =>
      ACCEPTORS.filter((acceptor) => separates(target, proposer, acceptor)).map((acceptor) => this.#link(proposer, acceptor)),
    );
  }

  #link(proposer: string, acceptor: string): TcpLink {
    const link = this.#links.get(linkBetween(proposer, acceptor));
    if (!link) throw new TypeError(`no link between ${proposer} and ${acceptor}`);
    return link;
  }

  #startNode(node: string): Promise<void> {
    if (isLink(node)) throw new TypeError(`not a node: ${node}`);
    const start = this.#starts.then(async () => {
      if (PROPOSERS.includes(node)) this.#showLinksOf(node);
      await this.#scripts.fault('start', node);
    });
    this.#starts = start.catch(() => undefined);
    return start;
  }

  #showLinksOf(proposer: string): void {
    const file = this.#scripts.layout.addressesFile;
    const map = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
    for (const acceptor of ACCEPTORS) map[`${acceptor}:6379`] = `127.0.0.1:${this.#link(proposer, acceptor).port}`;
    writeFileSync(`${file}.new`, `${JSON.stringify(map, null, 2)}\n`);
    renameSync(`${file}.new`, file);
  }
}
