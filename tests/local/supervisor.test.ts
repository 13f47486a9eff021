import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { CLEANUP_MS, eventually, LocalCluster } from './local-cluster.js';
import { childrenOf, groupOf } from './processes.js';

let cluster: LocalCluster;
beforeAll(async () => {
  cluster = await LocalCluster.prepare();
});
afterAll(() => cluster.remove(), CLEANUP_MS);

test('start is ready when all nodes answer, and the address map tells where', async () => {
  expect((await cluster.run('running')).code).toBe(1);
  const foreground = cluster.launch(['--banner', 'type this next']);
  await foreground.says('type this next');
  expect(await cluster.run('running')).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(await cluster.run('nodes')).toEqual({ code: 0, stdout: `${await cluster.ask('nodes')}\n`, stderr: '' });
  expect(await cluster.redis('PING')).toBe('+PONG\r\n');
  expect(await cluster.healthz('PROPOSER_1_PORT')).toBe(200);
  expect(await cluster.healthz('PROPOSER_2_PORT')).toBe(200);
  expect(await cluster.healthz('CONTROL_PORT')).toBe(200);

  const { stdout } = await cluster.run('path', 'addresses');
  const at = (variable: string) => `127.0.0.1:${cluster.port(variable)}`;
  expect(JSON.parse(readFileSync(stdout.trim(), 'utf8'))).toEqual({
    'acceptor-1:6379': at('ACCEPTOR_1_PORT'),
    'acceptor-2:6379': at('ACCEPTOR_2_PORT'),
    'acceptor-3:6379': at('ACCEPTOR_3_PORT'),
    'proposer-1:8080': at('PROPOSER_1_PORT'),
    'proposer-2:8080': at('PROPOSER_2_PORT'),
    'proposer-1:8090': at('PROPOSER_1_ADMIN_PORT'),
    'proposer-2:8090': at('PROPOSER_2_ADMIN_PORT'),
    'control:8080': at('CONTROL_PORT'),
    'client:8070': at('CLIENT_PORT'),
  });
  expect(foreground.stdout.trimEnd().split('\n').slice(-2)).toEqual([
    `ready: three acceptors, two proposers and the control node answer; data and logs are in ${cluster.folder}`,
    'type this next',
  ]);
});

test('a second supervisor of the same folder is refused', async () => {
  await cluster.running();
  const second = cluster.launch();
  expect(await second.ended()).toBe(1);
  expect(second.stderr).toMatch(/already runs on this data folder, since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\. Stop it first/);
  expect((await cluster.run('running')).code).toBe(0);
  expect(cluster.survivors()).toHaveLength(6);
});

test('Ctrl-C reaches the supervisor only, which stops the proposers before the acceptors', async () => {
  const foreground = await cluster.running();
  for (const { pid } of (await cluster.nodes()).values()) expect(groupOf(pid)).toBe(pid);
  foreground.signal('SIGINT');
  expect(await foreground.ended()).toBe(0);
  expect(cluster.survivors()).toEqual([]);
  expect(foreground.stdout).not.toContain('died');
  const stopped = foreground.stdout.match(/^(acceptor|proposer)(?=-\d {2}stopped)/gm);
  expect(stopped).toEqual(['proposer', 'proposer', 'acceptor', 'acceptor', 'acceptor']);
});

test.each(['SIGTERM', 'SIGHUP'] as const)('%s leaves nothing running, nodes that hang included', async (signal) => {
  const foreground = await cluster.running();
  await cluster.ask('pause', 'acceptor-1');
  await cluster.ask('pause', 'proposer-1');
  foreground.signal(signal);
  expect(await foreground.ended()).toBe(0);
  expect(cluster.survivors()).toEqual([]);
  expect(foreground.stdout).not.toContain('by force');
  expect((await cluster.run('running')).code).toBe(1);
});

test('stop waits for the end, and the next run has the data', async () => {
  const first = await cluster.running();
  await cluster.redis('SETNX kept yes');
  expect(await cluster.run('stop')).toEqual({ code: 0, stdout: 'stopped; the data stays\n', stderr: '' });
  expect(cluster.survivors()).toEqual([]);
  expect(await first.ended()).toBe(0);
  expect((await cluster.run('stop')).code).toBe(1);

  await cluster.start();
  expect(await cluster.redis('GET kept')).toBe('$3\r\nyes\r\n');
});

test('SIGKILL of the supervisor leaves nothing running, and the next run has the data', async () => {
  const first = await cluster.running();
  await cluster.redis('SETNX crashed yes');
  await cluster.ask('pause', 'acceptor-2');
  first.signal('SIGKILL');
  const second = await cluster.start();
  await eventually('the first nodes are gone', () => cluster.survivors().length === 6);
  expect(second.stdout).not.toContain('died');
  expect(await cluster.redis('GET crashed')).toBe('$3\r\nyes\r\n');
});

test('a run right after a crash waits for the ports that the nodes of the crashed one still hold', async () => {
  const first = await cluster.running();
  const [reaper = 0] = childrenOf(first.pid, 'reaper.sh');
  process.kill(reaper, 'SIGSTOP');
  first.signal('SIGKILL');
  const second = cluster.launch();
  await sleep(1_000);
  expect(cluster.survivors()).toHaveLength(6);
  process.kill(reaper, 'SIGCONT');
  await second.says('ready');
});

test('a reaper that is killed is replaced, and the new one knows all nodes', async () => {
  const foreground = await cluster.running();
  const [first = 0] = childrenOf(foreground.pid, 'reaper.sh');
  process.kill(first, 'SIGKILL');
  await eventually('another reaper', () => childrenOf(foreground.pid, 'reaper.sh').some((pid) => pid !== first));
  foreground.signal('SIGKILL');
  await eventually('nothing runs', () => cluster.survivors().length === 0);
});

test('of several that find the socket of a dead one, one takes it', async () => {
  const dead = await cluster.running();
  dead.signal('SIGKILL');
  await dead.ended();
  const all = [1, 2, 3].map(() => cluster.launch());
  const codes: (number | null)[] = [];
  for (const one of all) void one.ended().then((code) => codes.push(code));
  await eventually('two gave up', () => codes.length === 2);
  await eventually('one is ready', () => all.some(({ stdout }) => stdout.includes('ready')));
  expect(codes).toEqual([1, 1]);
  expect(all.filter(({ stderr }) => stderr.includes('already runs'))).toHaveLength(2);
});

test('a port that is taken is named with the variable that changes it, on stderr also where it was to run detached, and nothing is left', async () => {
  await cluster.end();
  const server = createServer().listen(cluster.port('PROPOSER_2_ADMIN_PORT'), '127.0.0.1');
  const foreground = cluster.launch();
  const codes = [await foreground.ended()];
  const detached = await cluster.run('start', '--detach');
  server.close();
  expect([...codes, detached.code, detached.stdout]).toEqual([1, 1, '']);
  for (const { stderr } of [foreground, detached]) {
    expect(stderr).toMatch(
      new RegExp(`^port ${cluster.port('PROPOSER_2_ADMIN_PORT')}, for proposer-2, is taken.*PROPOSER_2_ADMIN_PORT=…\n$`),
    );
  }
  expect((await cluster.run('running')).code).toBe(1);
});

test('the port of a client that goes on while the cluster is stopped is no hindrance', async () => {
  await cluster.end();
  const client = createServer().listen(cluster.port('CLIENT_PORT'), '127.0.0.1');
  onTestFinished(() => void client.close());
  await cluster.launch().says('ready');
});

test('a node that cannot start ends the start with the end of its log, and nothing is left', async () => {
  const broken = await LocalCluster.prepare();
  onTestFinished(() => broken.remove(), CLEANUP_MS);
  mkdirSync(path.join(broken.folder, 'proposer-1'), { recursive: true });
  writeFileSync(path.join(broken.folder, 'proposer-1/incarnation.json'), '{');
  const foreground = broken.launch();
  expect(await foreground.ended()).toBe(1);
  expect(foreground.stderr).toMatch(/^proposer-1 ended as soon as it was started\. The end of its log, .*proposer-1\.log:\nproposer: /);
  const pids = [...foreground.stdout.matchAll(/started \(pid (\d+)\)/g)].map(([, pid]) => Number(pid));
  expect(pids).toHaveLength(6);
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow();
});

test('a node that does not answer in time ends the start', async () => {
  await cluster.end();
  const foreground = cluster.launch(['--timeout', '0.001']);
  expect(await foreground.ended()).toBe(1);
  expect(foreground.stderr).toContain('does not answer after 0.001 s');
});

test('detached: returns when it is ready, runs on, and is stopped by a command', async () => {
  await cluster.end();
  const { code, stdout } = await cluster.run('start', '--detach', '--banner', 'type this next');
  expect(code).toBe(0);
  expect(stdout).toMatch(/ready: .*\ntype this next\n$/);
  await cluster.nodes();
  expect(cluster.survivors()).toHaveLength(6);
  expect((await cluster.run('stop')).code).toBe(0);
  expect(cluster.survivors()).toEqual([]);
});
