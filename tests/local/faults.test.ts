import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CLEANUP_MS, eventually, LocalCluster, type Foreground } from './local-cluster.js';
import { lives } from './processes.js';

let cluster: LocalCluster;
let foreground: Foreground;
beforeAll(async () => {
  cluster = await LocalCluster.prepare();
  foreground = await cluster.start();
});
afterAll(() => cluster.remove(), CLEANUP_MS);

const done = (stdout: string) => ({ code: 0, stdout: `${stdout}\n`, stderr: '' });
const refused = (stderr: string) => ({ code: 1, stdout: '', stderr: `${stderr}\n` });

test('what is killed stays dead until it is started, with its data', async () => {
  await cluster.redis('SETNX kept yes');
  const { pid } = await cluster.node('acceptor-1');
  expect(await cluster.run('node', 'kill', 'acceptor-1')).toEqual(
    done('acceptor-1 killed: it stays dead until "fault.sh start acceptor-1"'),
  );
  expect(lives(pid)).toBe(false);
  // Longer than the first back-off.
  await sleep(600);
  expect((await cluster.node('acceptor-1')).standing).toBe('held');
  await expect(cluster.redis('PING')).rejects.toThrow('ECONNREFUSED');

  expect(await cluster.run('node', 'kill', 'acceptor-1')).toEqual(done('acceptor-1 was dead already'));
  expect(await cluster.run('node', 'pause', 'acceptor-1')).toEqual(
    refused('acceptor-1 is dead and cannot be paused. Start it first: fault.sh start acceptor-1'),
  );
  expect(await cluster.run('node', 'resume', 'acceptor-1')).toEqual(
    refused('acceptor-1 is dead and cannot be resumed. Start it: fault.sh start acceptor-1'),
  );
  expect(await cluster.run('node', 'start', 'acceptor-1')).toEqual(done('acceptor-1 started'));
  expect(await cluster.redis('GET kept')).toBe('$3\r\nyes\r\n');
  expect(await cluster.run('node', 'start', 'acceptor-1')).toEqual(done('acceptor-1 runs already'));
});

test('a process that dies by itself is started again', async () => {
  const { pid } = await cluster.node('proposer-2');
  process.kill(pid, 'SIGKILL');
  await foreground.says('proposer-2  died (SIGKILL)');
  await foreground.says('proposer-2  restarted');
  await eventually('proposer-2 answers', () =>
    cluster.healthz('PROPOSER_2_PORT').then(
      (status) => status === 200,
      () => false,
    ),
  );
  expect((await cluster.node('proposer-2')).pid).not.toBe(pid);
});

test('what is paused takes connections and answers nothing until it is resumed', async () => {
  expect(await cluster.run('node', 'pause', 'proposer-1')).toEqual(done('proposer-1 paused: it hangs until "fault.sh resume proposer-1"'));
  expect(await cluster.run('node', 'pause', 'proposer-1')).toEqual(done('proposer-1 was paused already'));
  await expect(cluster.healthz('PROPOSER_1_PORT', 1_000)).rejects.toThrow('timeout');
  expect(await cluster.run('node', 'start', 'proposer-1')).toEqual(refused('proposer-1 is paused. Resume it: fault.sh resume proposer-1'));

  expect(await cluster.run('node', 'resume', 'proposer-1')).toEqual(done('proposer-1 resumed'));
  expect(await cluster.healthz('PROPOSER_1_PORT')).toBe(200);
  expect(await cluster.run('node', 'resume', 'proposer-1')).toEqual(done('proposer-1 was not paused'));
});

test('what is paused can be killed', async () => {
  const { pid } = await cluster.node('acceptor-2');
  await cluster.ask('pause', 'acceptor-2');
  await cluster.ask('kill', 'acceptor-2');
  expect(lives(pid)).toBe(false);
  expect(await cluster.run('node', 'start', 'acceptor-2')).toEqual(done('acceptor-2 started'));
});

test('what is paused and dies is started again', async () => {
  const { pid } = await cluster.node('acceptor-3');
  await cluster.ask('pause', 'acceptor-3');
  process.kill(pid, 'SIGKILL');
  await foreground.says('acceptor-3  restarted');
  expect((await cluster.node('acceptor-3')).standing).toBe('running');
});

test('what dies again and again is started less and less often, and can be held between two starts', async () => {
  const file = path.join(cluster.folder, 'proposer-1/incarnation.json');
  const sound = readFileSync(file);
  const deaths = () => foreground.stdout.split('proposer-1  died').length - 1;
  writeFileSync(file, '{');
  process.kill((await cluster.node('proposer-1')).pid, 'SIGKILL');
  await eventually('the first death', () => deaths() === 1);
  const start = Date.now();
  await eventually('the fifth death', () => deaths() === 5);
  expect(Date.now() - start).toBeGreaterThan(2_500);
  writeFileSync(file, sound);
  await cluster.ask('kill', 'proposer-1');
  // The fifth back-off is 3.2 s.
  await sleep(3_700);
  expect((await cluster.node('proposer-1')).standing).toBe('held');
  expect(await cluster.run('node', 'start', 'proposer-1')).toEqual(done('proposer-1 started'));
  expect(await cluster.healthz('PROPOSER_1_PORT')).toBe(200);
});

test('unknown names are answered with the known ones', async () => {
  expect(await cluster.run('node', 'kill', 'acceptor-4')).toEqual(
    refused('unknown node "acceptor-4": there are acceptor-1, acceptor-2, acceptor-3, proposer-1, proposer-2, control'),
  );
  expect(await cluster.run('node', 'maim', 'acceptor-1')).toEqual(refused('unknown action "maim": there are kill, pause, resume, start'));
  expect((await cluster.run('node', 'kill')).code).toBe(2);
  expect((await cluster.run('path', 'nowhere')).code).toBe(1);
  expect((await cluster.run('start', '--timeout', 'soon')).code).toBe(2);
});
