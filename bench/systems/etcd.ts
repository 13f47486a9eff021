import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { request } from 'undici';
import type { NodeSpec } from '../../local/node-process.js';
import { freePorts, orStop, Processes, type System } from './system.js';

const NODES = ['etcd-1', 'etcd-2', 'etcd-3'];
/** A bench writes more than the 2 GiB that is the default. */
const QUOTA_BYTES = 8 * 1024 ** 3;

/** Three nodes of etcd as its own documentation starts them, with data of their own. */
export class Etcd implements System {
  readonly name = 'etcd';
  readonly protocol = 'etcd';
  readonly processes: Processes;
  /** Of all three. */
  readonly #clientAddresses: readonly string[];
  /** As many as there are proposers: that of the leader when it began, which serves reads for less, and another one. */
  #addresses: readonly string[] = [];

  private constructor(processes: Processes, clientAddresses: readonly string[]) {
    this.processes = processes;
    this.#clientAddresses = clientAddresses;
  }

  /** @param binary the path of `etcd` */
  static async start(binary: string): Promise<Etcd> {
    const ports = await freePorts(2 * NODES.length);
    const url = (port: number | undefined): string => `http://127.0.0.1:${port ?? 0}`;
    const [clients, peers] = [ports.slice(0, NODES.length), ports.slice(NODES.length)];
    const processes = new Processes();
    const members = NODES.map((name, at) => `${name}=${url(peers[at])}`).join(',');
    const specs = NODES.map((name, at): NodeSpec => {
      const folder = path.join(processes.folder, name);
      const options = {
        ...{ name, 'data-dir': path.join(folder, 'data'), 'log-level': 'error', 'quota-backend-bytes': QUOTA_BYTES },
        ...{ 'listen-client-urls': url(clients[at]), 'advertise-client-urls': url(clients[at]) },
        ...{ 'listen-peer-urls': url(peers[at]), 'initial-advertise-peer-urls': url(peers[at]), 'initial-cluster': members },
      };
      return {
        ...{ name, command: binary, folder, env: process.env, logFile: path.join(processes.folder, `${name}.log`) },
        args: Object.entries(options).map(([option, value]) => `--${option}=${value}`),
        answers: () => isHealthy(url(clients[at])),
      };
    });
    await processes.start({ acceptors: specs, others: [] });
    const etcd = new Etcd(
      processes,
      clients.map((port) => `127.0.0.1:${port}`),
    );
    const { leader, follower } = await orStop(etcd, etcd.roles());
    etcd.#addresses = etcd.#clientAddresses.filter((_, at) => [leader, follower].includes(NODES[at] ?? ''));
    return etcd;
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  /** For clients that can turn to any node. */
  withAllNodes(): System {
    const { name, protocol, processes } = this;
    return { name, protocol, processes, addresses: this.#clientAddresses, stop: () => this.stop() };
  }

  /** Who leads now, and one who does not. */
  async roles(): Promise<{ leader: string; follower: string }> {
    for (const [at, address] of this.#clientAddresses.entries()) {
      const { body } = await request(`http://${address}/v3/maintenance/status`, { method: 'POST', body: '{}' });
      const { header, leader } = (await body.json()) as { header: { member_id: string }; leader: string };
      if (header.member_id === leader) return { leader: NODES[at] ?? '', follower: NODES[(at + 1) % NODES.length] ?? '' };
    }
    throw new Error('no node of etcd leads');
  }

  stop(): Promise<void> {
    return this.processes.stop();
  }
}

/** Its own words; undefined where there is no such program. */
export function etcdVersion(binary: string): string | undefined {
  try {
    return /etcd Version: (\S+)/.exec(execFileSync(binary, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))?.[1];
  } catch {
    return undefined;
  }
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    const { statusCode, body } = await request(`${url}/health`);
    await body.dump();
    return statusCode === 200;
  } catch {
    return false;
  }
}
