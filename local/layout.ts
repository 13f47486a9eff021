import { createHash } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Trouble } from './trouble.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where the local cluster keeps what. All paths are absolute. */
export interface Layout {
  /** The repository. */
  readonly root: string;
  /** All data: a folder for each node, the logs, the address map. */
  readonly folder: string;
  /** The supervisor's unix socket: the cluster runs if, and only if, something answers on it. */
  readonly socket: string;
  /** The map from logical addresses (`acceptor-1:6379`) to real ones, JSON. */
  readonly addressesFile: string;
  readonly logs: string;
  /** A file for each acceptor that is held, named as it, with the words of `acceptor/start.sh`. */
  readonly heldNotes: string;
  /** The folder that `make-secrets.sh` makes; without one everybody gets in. */
  readonly secrets?: string;
}

export const ACCEPTORS: readonly string[] = ['acceptor-1', 'acceptor-2', 'acceptor-3'];
export const PROPOSERS: readonly string[] = ['proposer-1', 'proposer-2'];
export const CONTROL = 'control';
export const NODES: readonly string[] = [...ACCEPTORS, ...PROPOSERS, CONTROL];

/** A port that a node listens on, on 127.0.0.1. */
export interface Port {
  readonly node: string;
  /** The name and port that configurations and output hold. */
  readonly logical: string;
  /** The environment variable that changes it. */
  readonly variable: string;
  readonly port: number;
}

const DEFAULT_PORTS = [
  ['acceptor-1', 6379, 'ACCEPTOR_1_PORT', 16379],
  ['acceptor-2', 6379, 'ACCEPTOR_2_PORT', 16380],
  ['acceptor-3', 6379, 'ACCEPTOR_3_PORT', 16381],
  ['proposer-1', 8080, 'PROPOSER_1_PORT', 8081],
  ['proposer-2', 8080, 'PROPOSER_2_PORT', 8082],
  ['proposer-1', 8090, 'PROPOSER_1_ADMIN_PORT', 8091],
  ['proposer-2', 8090, 'PROPOSER_2_ADMIN_PORT', 8092],
  ['control', 8080, 'CONTROL_PORT', 8080],
  ['client', 8070, 'CLIENT_PORT', 8070],
] as const;

/** The kernel holds about 104 bytes of a socket's path; who is about to take it says so under a slightly longer name. */
const MAX_SOCKET_BYTES = 90;

/** Where things are; never fails and writes nothing. A relative CLUSTER_DIR counts from the repository, so that it means the same in every folder. */
export function layoutFrom(env: Environment): Layout & { readonly secrets: string } {
  const root = repository();
  const chosen = env['CLUSTER_DIR'] ?? '';
  const given = path.resolve(root, chosen === '' ? '.cluster' : chosen);
  const folder = existsSync(given) ? realpathSync(given) : given;
  return {
    root,
    folder,
    socket: socketOf(folder),
    addressesFile: path.join(folder, 'addresses.json'),
    logs: path.join(folder, 'logs'),
    heldNotes: path.join(folder, 'held'),
    secrets: path.join(folder, 'secrets'),
  };
}

/** The ports as the environment has them. Throws {@link Trouble} for what is not a port, and for one that is given twice. */
export function portsFrom(env: Environment): Port[] {
  const ports = DEFAULT_PORTS.map(([node, logicalPort, variable, byDefault]): Port => {
    const text = env[variable] ?? '';
    const port = text === '' ? byDefault : Number(text);
    if (!/^\d*$/.test(text) || port < 1 || port > 65535)
      throw new Trouble(`${variable}=${text} is not a port: give a number from 1 to 65535`);
    return { node, logical: `${node}:${logicalPort}`, variable, port };
  });
  for (const [at, { port, variable }] of ports.entries()) {
    const twin = ports.slice(0, at).find((other) => other.port === port);
    if (twin) throw new Trouble(`${twin.variable} and ${variable} are both ${port}: give each node a port of its own`);
  }
  return ports;
}

/** What `addresses.json` holds. */
export function addressMap(ports: readonly Port[]): Record<string, string> {
  return Object.fromEntries(ports.map(({ logical, port }) => [logical, `127.0.0.1:${port}`]));
}

function socketOf(folder: string): string {
  const inside = path.join(folder, 'supervisor.sock');
  if (Buffer.byteLength(inside) <= MAX_SOCKET_BYTES) return inside;
  const name = `caspaxos-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}.sock`;
  const short = path.join(tmpdir(), name);
  return Buffer.byteLength(short) <= MAX_SOCKET_BYTES ? short : path.join('/tmp', name);
}

/** This file runs from `local/` and, compiled, from `dist/local/`. */
function repository(): string {
  let folder = import.meta.dirname;
  while (!existsSync(path.join(folder, 'package.json'))) folder = path.dirname(folder);
  return folder;
}
