import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Running } from '../client/program.js';
import { attack, malformedHttp, malformedRedis, memoryMib } from '../hostile-requests.js';
import { START } from '../node-control/spec-commands.js';
import { CLEANUP_MS, LocalCluster, ROOT } from './local-cluster.js';
import { childrenOf } from './processes.js';

const MALFORMED = 10_000;
const GROWTH_MAX_MIB = 60;

let cluster: LocalCluster;
let client: Running | undefined;

/** A program of the cluster, with the rights that the scripts in node-control/ give it. */
function start(program: string, args: readonly string[]): Running {
  const secret = (name: string): string => path.join(cluster.folder, 'secrets', name);
  return new Running(
    spawn(process.execPath, [path.join(ROOT, 'dist', program), ...args], {
      env: {
        PATH: process.env['PATH'],
        ADDRESS_MAP: path.join(cluster.folder, 'addresses.json'),
        REDIS_USER: 'control',
        REDIS_PASSWORD_FILE: secret('control-password'),
        ADMIN_TOKEN_FILE: secret('admin-token'),
      },
    }),
  );
}

beforeAll(async () => {
  cluster = await LocalCluster.prepare();
  await cluster.start();
  for (const command of [...START, 'resize acceptor-1:6379,acceptor-2:6379,acceptor-3:6379'])
    expect(await start('node-control/main.js', command.split(' ')).ended).toBe(0);
});
afterAll(async () => {
  if (client?.child.exitCode === null) {
    client.child.kill('SIGKILL');
    await once(client.child, 'exit');
  }
  await cluster.remove();
}, CLEANUP_MS);

test('the page takes so many connections and no more, and cuts off who sends nothing', async () => {
  const open = (): Socket =>
    connect(cluster.port('CONTROL_PORT'), '127.0.0.1')
      .on('error', () => undefined)
      .resume();
  const held = Array.from({ length: 150 }, open);
  const destroyed = (): number => held.filter((socket) => socket.destroyed).length;
  await expect.poll(destroyed, { timeout: 4_000 }).toBeGreaterThanOrEqual(50);
  expect(destroyed()).toBeLessThan(60);
  await expect.poll(destroyed, { timeout: 15_000 }).toBe(150);
  expect(await cluster.healthz('CONTROL_PORT')).toBe(200);
});

test('10,000 random and malformed requests on the page, the funnel and an acceptor crash nothing and cost clients nothing', async () => {
  const addressOf = (variable: string): string => `127.0.0.1:${cluster.port(variable)}`;
  // One after the other: three at once would take all of the machine that the attack leaves.
  const increments = (client = start('client/main.js', ['--clients', '1']));
  await increments.printed(/^2\t/);
  const before = await cluster.nodes();
  const login = `AUTH proposer ${readFileSync(path.join(cluster.folder, 'secrets/proposer-password'), 'utf8')}\r\n`;
  const faults: string[][] = [];
  const noteFault = (answer: string, sent: string): void => {
    if (/^HTTP\/1.1 500 |node_modules/.test(answer)) faults.push([sent, answer]);
  };
  const all = async (count: number): Promise<void> => {
    await Promise.all([
      attack(addressOf('CONTROL_PORT'), count, malformedHttp, noteFault),
      attack(addressOf('CLIENT_PORT'), count, malformedHttp, noteFault),
      attack(addressOf('ACCEPTOR_1_PORT'), count / 2, malformedRedis),
      attack(addressOf('ACCEPTOR_1_PORT'), count / 2, (number) => login + malformedRedis(number)),
    ]);
  };
  const pidOf = (node: string): number => before.get(node)?.pid ?? 0;
  const [redis = 0] = childrenOf(pidOf('acceptor-1'), 'redis.conf');
  const memory = (): number[] => [increments.child.pid ?? 0, pidOf('control'), redis].map(memoryMib);
  await all(MALFORMED / 10);
  const warm = memory();
  await all(MALFORMED);
  expect(faults).toEqual([]);
  memory().forEach((mib, index) => expect(mib).toBeLessThan((warm[index] ?? 0) + GROWTH_MAX_MIB));

  expect(await cluster.nodes()).toEqual(before);
  expect(await cluster.healthz('CONTROL_PORT')).toBe(200);
  expect(await cluster.redis('PING')).toBe('+PONG\r\n');
  increments.child.kill('SIGTERM');
  expect([increments.stderr, await increments.ended]).toEqual(['', 0]);
  expect(increments.stdout).toMatch(/ nothing lost\n$/);
  const columns = increments.funnel.slice(1).flatMap((second) => second.columns);
  expect(columns.filter((column) => column[3] !== 0)).toEqual([]);
}, 300_000);
