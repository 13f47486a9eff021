import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { ACCEPTORS, PROPOSERS } from '../../local/layout.js';
import { type ChaosCluster, Scripts } from './cluster.js';
import { type Fault, isLink, linkBetween, separates } from './fault.js';
import type { Finished } from './script.js';
import { TcpLink } from './tcp-link.js';

/**
 * Local processes under their own supervisor, with a relay in each link between a proposer and an acceptor. A proposer reads the address
 * map when it starts; so the map is given the proposer's own relays just before.
 */
export class LocalCluster implements ChaosCluster {
  readonly kinds = {
    ofAcceptors: ['kill', 'pause', 'cut', 'mute'],
    ofProposers: ['kill', 'pause', 'cut'],
    ofLinks: ['cut', 'mute'],
  } as const;
  readonly #scripts: Scripts;
  readonly #links = new Map<string, TcpLink>();
  /** One at a time, because there is one address map. */
  #starts: Promise<void> = Promise.resolve();

  private constructor(scripts: Scripts) {
    this.#scripts = scripts;
  }

  static async prepare(): Promise<LocalCluster> {
    return new LocalCluster(await Scripts.prepare('local'));
  }

  get folder(): string {
    return this.#scripts.layout.root;
  }

  addressOf(proposer: string): string {
    return `127.0.0.1:${this.#scripts.port(`PROPOSER_${proposer.slice(-1)}_PORT`)}`;
  }

  async start(): Promise<void> {
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
    else for (const link of this.#linksOf(target)) link.set(kind);
  }

  async mend({ kind, target }: Fault): Promise<void> {
    if (kind === 'kill') await this.#startNode(target);
    else if (kind === 'pause') await this.#scripts.fault('resume', target);
    else for (const link of this.#linksOf(target)) link.set('whole');
  }

  control(command: readonly string[]): Promise<Finished> {
    return this.#scripts.control(command);
  }

  async remove(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link.close()));
    this.#links.clear();
    await this.#scripts.clear();
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
