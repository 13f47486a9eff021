#!/usr/bin/env bash
# groupmq 1.1.0: a worker that is killed at a job blocks the group of the job for good: what it was at is not done again, and nothing behind it is done, though others look for stalled jobs; other groups go on.
#
# What: when the time of the job is over the next worker that asks for work puts it back at the head of its group, but leaves it in the list of what the group is at. So the group counts as busy with the job that is waiting, for ever, and
# the check for stalled jobs finds nothing any more, since the job is not "at work". A job that only takes longer than jobTimeoutMs between two heartbeats has the same end.
# Why it hurts: one deployment, one out-of-memory kill: the orders of that customer are taken, acknowledged and never done, from then on; no event is emitted, nothing fails, and all other customers are served, so that it is seen late.
# Who should care: who runs groupmq. LREM the job from <namespace>:g:<group>:active when a worker has died, and watch the age of the oldest waiting job of each group.
# Source: dist/lua/reserve.lua, where what has expired is put back, against check-stalled.lua, which does remove it from the list.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm redis-server; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error groupmq@1.1.0 ioredis@5.8.2 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >queue.mjs <<'JS'
import { Queue } from 'groupmq';
import { Redis } from 'ioredis';

export const open = (port) => new Queue({ redis: new Redis({ port: Number(port), maxRetriesPerRequest: null }), namespace: 'orders', jobTimeoutMs: 1_000, maxAttempts: 3 });
JS
cat >killed.mjs <<'JS'
import { Worker } from 'groupmq';
import { open } from './queue.mjs';

const handler = async (job) => {
  console.log(job.data.order);
  process.kill(process.pid, 'SIGKILL');
};
new Worker({ queue: open(process.argv[2]), handler, concurrency: 1 }).run();
JS
cat >run.mjs <<'JS'
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'groupmq';
import { Redis } from 'ioredis';
import { open } from './queue.mjs';

const versionOf = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;

/** A port that is free now. */
async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}
const servers = [];
process.on('exit', () => servers.forEach((server) => server.kill('SIGKILL')));
process.on('SIGTERM', () => process.exit(3));

/** A Redis on loopback without files, ready when this resolves. */
async function startRedis(port) {
  const args = ['--port', port, '--bind', '127.0.0.1', '--dir', process.cwd(), '--save', '', '--appendonly', 'no'];
  servers.push(spawn('redis-server', args, { stdio: 'ignore' }));
  for (let tries = 0; tries < 100; tries += 1) {
    const socket = connect(port, '127.0.0.1');
    const isReady = await once(socket, 'connect').then(() => true, () => false);
    socket.destroy();
    if (isReady) return;
    await sleep(50);
  }
  console.error('redis-server does not start');
  process.exit(3);
}
const port = await freePort();
await startRedis(port);
const queue = open(port);
const add = (groupId, order) => queue.add({ groupId, data: { order } });
for (const order of ['ann 1', 'ann 2', 'ann 3']) await add('ann', order);
const killed = spawnSync(process.execPath, ['killed.mjs', port], { encoding: 'utf8', timeout: 30_000 });

const done = [];
const failed = [];
const worker = new Worker({ queue, handler: async (job) => { done.push(job.data.order); }, concurrency: 2, stalledInterval: 1_000, maxStalledCount: 3 });
for (const event of ['error', 'failed', 'stalled']) worker.on(event, (what) => failed.push(`${event}: ${what?.message ?? what}`));
worker.run();
await add('bob', 'bob 1');
// Many times the second after which a job counts as stalled, and the second between two checks.
await sleep(15_000);
await add('ann', 'ann 4');
await add('bob', 'bob 2');
await sleep(5_000);
const [doneBefore, waiting, active] = [done.join(', '), await queue.getWaitingCount(), await queue.getActiveCount()];
const redis = new Redis({ port, maxRetriesPerRequest: null });
const busy = await redis.lrange('groupmq:orders:g:ann:active', 0, -1);
await redis.del('groupmq:orders:g:ann:active');
await sleep(5_000);
const doneAfter = done.slice(done.indexOf('bob 2') + 1).join(', ');

console.log(`groupmq@${versionOf('groupmq')}, ioredis@${versionOf('ioredis')}, node ${process.version}`);
console.log('expected: what a killed worker was at is done again once its second is over, or fails, and what is behind it in the group is done');
console.log(`seen:     killed at: ${killed.stdout.trim()}; done by another worker within 20 s: ${doneBefore}; waiting ${waiting}, at work ${active}; events: ${failed.join(', ') || 'none'}`);
console.log(`          in the list of what the group is at: ${busy.length} job; once that list is deleted by hand: ${doneAfter || 'nothing'}`);
const isBlocked = doneBefore === 'bob 1, bob 2' && waiting === 4 && active === 0 && busy.length === 1;
const holds = killed.stdout.trim() === 'ann 1' && isBlocked && doneAfter === 'ann 1, ann 2, ann 3, ann 4';
if (!holds) console.log('CHANGED: the group goes on');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 90 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 90 seconds' >&2; exit 3; }
exit "$code"
