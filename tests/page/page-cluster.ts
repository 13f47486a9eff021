import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { Cluster } from '../cluster.js';
import { joined } from '../joined-programs.js';
import { freePort } from '../redis-server.js';
import { launchBrowser } from './browser.js';

/** The machine may be busy. */
const START_MS = 60_000;

/** Three acceptors and two proposers without a configuration, with the control node's service and, on demand, clients. */
export class PageCluster {
  readonly cluster: Cluster;
  readonly url: string;
  /** That the commands and the service share. */
  readonly stateFolder = mkdtempSync(join(tmpdir(), 'control-'));
  readonly #port: number;
  #service: ChildProcess | undefined;
  #client: ChildProcess | undefined;

  readonly #env: Readonly<Record<string, string>>;

  private constructor(cluster: Cluster, port: number, env: Readonly<Record<string, string>>) {
    this.cluster = cluster;
    this.#port = port;
    this.#env = env;
    this.url = `http://127.0.0.1:${port}/`;
  }

  /** @param env variables for the service */
  static async start(env: Readonly<Record<string, string>> = {}): Promise<PageCluster> {
    const cluster = await Cluster.start({ configured: 0 });
    const addresses = JSON.parse(readFileSync(cluster.addressMap, 'utf8')) as Record<string, string>;
    writeFileSync(cluster.addressMap, JSON.stringify({ ...addresses, 'client:8070': `127.0.0.1:${await freePort()}` }));
    const page = new PageCluster(cluster, await freePort(), env);
    try {
      await page.startService();
    } catch (error) {
      await page.stop();
      throw error;
    }
    return page;
  }

  async startService(): Promise<void> {
    this.#service = this.#run('service', {
      HOST: '127.0.0.1',
      PORT: String(this.#port),
      STATE_DIR: this.stateFolder,
      ...this.#env,
    });
    const deadlineMs = Date.now() + START_MS;
    while (
      !(await fetch(`${this.url}healthz`).then(
        ({ ok }) => ok,
        () => false,
      ))
    ) {
      if (Date.now() > deadlineMs) throw new Error('the control node does not answer');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async killService(): Promise<void> {
    await end(this.#service, 'SIGKILL');
  }

  /** SIGSTOP: its connections stay open, and nothing comes. */
  pauseService(): void {
    this.#service?.kill('SIGSTOP');
  }

  resumeService(): void {
    this.#service?.kill('SIGCONT');
  }

  startClient(): void {
    this.#client = this.#run('client');
  }

  async stopClient(): Promise<void> {
    await end(this.#client, 'SIGTERM');
  }

  /** A command as typed behind run-control.sh. Throws where it fails. */
  async control(command: string): Promise<void> {
    const { code, stderr } = await this.cluster.control(...command.split(' '));
    if (code !== 0) throw new Error(`${command}: ${stderr}`);
  }

  async stop(): Promise<void> {
    await end(this.#client, 'SIGKILL');
    await end(this.#service, 'SIGKILL');
    await this.cluster.stop();
    rmSync(this.stateFolder, { recursive: true });
  }

  #run(program: 'service' | 'client', env: Record<string, string> = {}): ChildProcess {
    return spawn(process.execPath, [joined(program)], {
      stdio: 'ignore',
      env: { PATH: process.env['PATH'], ADDRESS_MAP: this.cluster.addressMap, ...env },
    });
  }
}

export interface Visit {
  readonly nodes: PageCluster;
  /** Empty yet. */
  readonly page: Page;
  /** Ends the browser and the cluster. */
  readonly leave: () => Promise<void>;
}

/** A cluster, and a browser that can show its page. @param env variables for the control node's service */
export async function visit(env?: Readonly<Record<string, string>>): Promise<Visit> {
  const nodes = await PageCluster.start(env);
  const browser = await launchBrowser();
  const leave = async (): Promise<void> => {
    await browser.close();
    await nodes.stop();
  };
  return { nodes, page: await browser.newPage(), leave };
}

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child?.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  await once(child, 'exit');
}
