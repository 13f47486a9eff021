import path from 'node:path';
import { layoutFrom } from '../../local/layout.js';
import { findRedis } from '../../local/nodes.js';
import type { NodeSpec } from '../../local/node-process.js';
import { httpAnswers, redisAnswers } from '../../local/probe.js';
import { freePorts, Processes, type System } from './system.js';

/** Two Express apps that answer a constant, in place of the proposers. @param node the binary that runs them */
export async function startExpress(node: string): Promise<System> {
  const ports = await freePorts(2);
  const processes = new Processes();
  const specs = ports.map((port, at): NodeSpec => {
    const name = `express-${at + 1}`;
    return {
      name,
      command: node,
      args: [path.join(processes.root, 'dist/bench/systems/express-app.js')],
      env: { ...process.env, PORT: String(port) },
      folder: processes.folder,
      logFile: path.join(processes.folder, `${name}.log`),
      answers: () => httpAnswers(port),
    };
  });
  await processes.start({ acceptors: [], others: specs });
  return { name: 'express', protocol: 'proposer', ...system(processes, ports) };
}

/** One Redis, asked what a proposer would ask it, without a proposer. */
export async function startRedis(): Promise<System> {
  const ports = await freePorts(1);
  const processes = new Processes();
  const specs = ports.map((port): NodeSpec => {
    const { root, folder } = processes;
    return {
      name: 'redis',
      command: findRedis(layoutFrom({}), process.env),
      args: [path.join(root, 'acceptor/redis.conf'), '--port', String(port), '--bind', '127.0.0.1', '--dir', folder],
      env: process.env,
      folder,
      logFile: path.join(folder, 'redis.log'),
      answers: () => redisAnswers(port),
    };
  });
  await processes.start({ acceptors: specs, others: [] });
  return { name: 'redis', protocol: 'acceptor', ...system(processes, ports) };
}

function system(processes: Processes, ports: readonly number[]): Pick<System, 'addresses' | 'processes' | 'stop'> {
  return { addresses: ports.map((port) => `127.0.0.1:${port}`), processes, stop: () => processes.stop() };
}
