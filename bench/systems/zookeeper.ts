import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import type { NodeSpec } from '../../local/node-process.js';
import { freePorts, orStop, Processes, type System } from './system.js';

const HEAP = ['-Xms512m', '-Xmx512m'];

/** Three nodes of ZooKeeper with the settings of its documentation, which sync each transaction to disk. @param jars the folder of its jars */
export async function startZooKeeper(jars: string): Promise<System> {
  const ports = await freePorts(9);
  const [clients, peers, elections] = [ports.slice(0, 3), ports.slice(3, 6), ports.slice(6)];
  const processes = new Processes();
  const members = clients.map((_, at) => `server.${at + 1}=127.0.0.1:${peers[at]}:${elections[at]}`);
  const specs = clients.map((port, at): NodeSpec => {
    const name = `zookeeper-${at + 1}`;
    const folder = path.join(processes.folder, name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'myid'), `${at + 1}`);
    const lines = [
      'tickTime=2000',
      'initLimit=10',
      'syncLimit=5',
      `dataDir=${folder}`,
      `clientPort=${port}`,
      'clientPortAddress=127.0.0.1',
    ];
    const settings = path.join(folder, 'zoo.cfg');
    writeFileSync(settings, [...lines, 'admin.enableServer=false', 'maxClientCnxns=0', ...members, ''].join('\n'));
    return {
      ...{ name, command: 'java', folder, env: process.env, logFile: path.join(processes.folder, `${name}.log`) },
      args: [...HEAP, '-cp', classPath(jars), 'org.apache.zookeeper.server.quorum.QuorumPeerMain', settings],
      answers: async () => (await roleAt(port)) !== undefined,
    };
  });
  await processes.start({ acceptors: specs, others: [] });
  const stop = (): Promise<void> => processes.stop();
  const all = clients.map((port) => `127.0.0.1:${port}`);
  const system: System = { name: 'zookeeper', protocol: 'zookeeper', processes, addresses: all, stop };
  // As many as there are proposers: the leader, and another one.
  const leader = (await orStop(system, Promise.all(clients.map(roleAt)))).indexOf('leader');
  return { ...system, addresses: [leader, (leader + 1) % all.length].map((at) => all[at] ?? '') };
}

/** Undefined where there is no folder of jars, or no Java. */
export function zooKeeperVersion(jars: string | undefined): string | undefined {
  if (jars === undefined) return undefined;
  try {
    const told = execFileSync('java', ['-cp', classPath(jars), 'org.apache.zookeeper.Version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return /\d+\.\d+\.\d+/.exec(told)?.[0];
  } catch {
    return undefined;
  }
}

function classPath(jars: string): string {
  return path.join(jars, '*');
}

/** What a node that serves says of itself; undefined while it does not. */
function roleAt(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    let told = '';
    const socket = connect(port, '127.0.0.1', () => socket.write('srvr'));
    socket.on('data', (chunk: Buffer) => (told += chunk.toString()));
    socket.on('error', () => undefined).on('close', () => resolve(/^Mode: (leader|follower)$/m.exec(told)?.[1]));
  });
}
