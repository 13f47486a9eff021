import { accessSync, constants, readFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { ACCEPTORS, CONTROL, PROPOSERS, type Layout, type Port } from './layout.js';
import type { NodeSpec } from './node-process.js';
import { httpAnswers, redisAnswers } from './probe.js';
import { Trouble } from './trouble.js';

export interface NodeSpecs {
  readonly acceptors: readonly NodeSpec[];
  /** The proposers and the control node. */
  readonly others: readonly NodeSpec[];
}

/**
 * For every program of ours that runs long or has much to do, as in the images. Without it Node 24 lets the space for new objects grow to 128 MiB on a
 * machine with much memory, where 16 serve as well; and in a container with little memory it has 2.
 */
export const NODE_FLAGS = ['--max-semi-space-size=8'];

/** Throws {@link Trouble} where Redis is not installed. @param proposers by name, numbered from 1 on */
export function nodeSpecs(layout: Layout, ports: readonly Port[], env: NodeJS.ProcessEnv, proposers = PROPOSERS): NodeSpecs {
  const redis = findRedis(layout, env);
  const portOf = (logical: string): number => {
    const port = ports.find((candidate) => candidate.logical === logical)?.port;
    if (port === undefined) throw new TypeError(`no port for ${logical}`);
    return port;
  };
  return {
    acceptors: ACCEPTORS.map((name) => acceptor(name, layout, redis, env, portOf(`${name}:6379`))),
    others: [
      ...proposers.map((name, at) => proposer(name, at + 1, layout, env, portOf(`${name}:8080`), portOf(`${name}:8090`))),
      control(layout, env, portOf(`${CONTROL}:8080`)),
    ],
  };
}

function acceptor(name: string, layout: Layout, redis: string, env: NodeJS.ProcessEnv, port: number): NodeSpec {
  const folder = path.join(layout.folder, name);
  return {
    name,
    command: 'sh',
    args: [
      ...[path.join(layout.root, 'acceptor/start.sh'), redis],
      ...[path.join(layout.root, 'acceptor/redis.conf'), '--port', String(port), '--bind', '127.0.0.1', '--dir', folder],
      ...(layout.secrets === undefined ? [] : ['--aclfile', path.join(layout.secrets, 'users.acl')]),
    ],
    env: { ...env, HELD_NOTE: path.join(layout.heldNotes, name) },
    folder,
    logFile: path.join(layout.logs, `${name}.log`),
    answers: () => redisAnswers(port, layout.secrets && readFileSync(path.join(layout.secrets, 'control-password'), 'utf8')),
  };
}

function proposer(name: string, id: number, layout: Layout, env: NodeJS.ProcessEnv, port: number, adminPort: number): NodeSpec {
  const folder = path.join(layout.folder, name);
  return {
    name,
    command: process.execPath,
    args: [...NODE_FLAGS, path.join(layout.root, 'dist/proposer/main.js')],
    env: {
      ...env,
      PROPOSER_ID: String(id),
      STATE_DIR: folder,
      HOST: '127.0.0.1',
      PORT: String(port),
      ADMIN_PORT: String(adminPort),
      ADDRESS_MAP: layout.addressesFile,
      ...accessAs('proposer', layout),
    },
    folder,
    logFile: path.join(layout.logs, `${name}.log`),
    answers: () => httpAnswers(port),
  };
}

/** The service only: the commands of the control node are programs of their own. */
function control(layout: Layout, env: NodeJS.ProcessEnv, port: number): NodeSpec {
  const folder = path.join(layout.folder, CONTROL);
  return {
    name: CONTROL,
    command: process.execPath,
    args: [...NODE_FLAGS, path.join(layout.root, 'dist/node-control/page/server/main.js')],
    env: {
      ...env,
      STATE_DIR: folder,
      HELD_NOTES: layout.heldNotes,
      HOST: '127.0.0.1',
      PORT: String(port),
      ADDRESS_MAP: layout.addressesFile,
      // For its buttons, where they are wanted: as somebody would type it in a terminal beside this.
      FAULT_SCRIPT: path.join(layout.root, 'node-control/fault.sh'),
      CLUSTER_DIR: layout.folder,
      ...accessAs('control', layout),
    },
    folder,
    logFile: path.join(layout.logs, `${CONTROL}.log`),
    answers: () => httpAnswers(port),
  };
}

/** What lets a program in at the acceptors, and at the admin ports. */
function accessAs(user: 'proposer' | 'control', { secrets }: Layout): NodeJS.ProcessEnv {
  if (secrets === undefined) return {};
  const file = (name: string): string => path.join(secrets, name);
  return { REDIS_USER: user, REDIS_PASSWORD_FILE: file(`${user}-password`), ADMIN_TOKEN_FILE: file('admin-token') };
}

/** Its path. Throws {@link Trouble} that says how to install it. */
export function findRedis(layout: Layout, env: NodeJS.ProcessEnv): string {
  const folders = (env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '');
  const found = ['redis-server', 'valkey-server'].flatMap((name) => folders.map((folder) => path.join(folder, name))).find(isExecutable);
  if (found !== undefined) return found;
  const installer = path.join(layout.root, 'local/install-redis.sh');
  const { stdout } = spawnSync('bash', [installer, '--print'], { encoding: 'utf8', env });
  throw new Trouble(`redis-server (or valkey-server) is not installed. ${stdout.trim()}`);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
