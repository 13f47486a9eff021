#!/usr/bin/env bash
# ioredis 6.0.0: with commandTimeout, a BLPOP that timed out in the client still takes the next element from the list, and drops it.
#
# What: commandTimeout counts for blocking commands, too, whatever timeout of their own they have. The promise is rejected; the BLPOP
# stays with the server, on a connection that stays open. The next element pushed is popped for it, and its reply goes to the rejected
# promise.
# Why it hurts: the job is in no list any more and no worker has it. It takes one option, set for all commands to bound ordinary ones.
# Waiting again after the error, as each worker loop does, makes it worse. (node-redis 6 waits without a timeout of the client here.)
# Who should care: who has queues, wake-up lists or XREADGROUP BLOCK on a client with commandTimeout. A connection of its own without
# commandTimeout, with blockingTimeout, is what they want.
# Source: lib/Command.ts, setTimeout; lib/redis/RedisOptions.ts on commandTimeout and blockingTimeout.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm redis-server; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  ioredis@6.0.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';

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
async function startRedis(port, ...more) {
  const args = ['--port', port, '--bind', '127.0.0.1', '--dir', process.cwd(), '--save', '', '--appendonly', 'no', ...more];
  const server = spawn('redis-server', args, { stdio: 'ignore' });
  servers.push(server);
  for (let tries = 0; ; tries += 1) {
    const socket = connect(port, '127.0.0.1');
    const ready = await once(socket, 'connect').then(() => true, () => false);
    socket.destroy();
    if (ready) return server;
    if (tries === 100) {
      console.error('redis-server does not start');
      process.exit(3);
    }
    await sleep(50);
  }
}

const { version } = JSON.parse(readFileSync('node_modules/ioredis/package.json', 'utf8'));
console.log(`ioredis@${version}, node ${process.version}`);

const port = await freePort();
await startRedis(port);
const options = { port, host: '127.0.0.1' };
const producer = new Redis(options);
const worker = new Redis({ ...options, commandTimeout: 300 });

const start = Date.now();
const first = await worker.blpop('jobs', 5).catch((error) => error.message);
const waited = Date.now() - start;
await producer.rpush('jobs', 'job 1');
await sleep(200);
const left = await producer.llen('jobs');
// The worker goes on as before; and so that it is not only late: five seconds and more.
const later = [];
while (Date.now() - start < 7_000) later.push(await worker.blpop('jobs', 1).catch((error) => error.message));
const got = later.filter((reply) => Array.isArray(reply)).length;
console.log('expected: BLPOP waits its 5 s and gets the job; or it fails, and the job stays in the list for the next one');
console.log(`seen:     BLPOP: ${String(first)} after ${waited} ms; the job pushed then: ${left} in the list, ${got} of ${later.length} later calls got it`);

producer.disconnect();
worker.disconnect();
const holds = first === 'Command timed out' && waited < 2_000 && left === 0 && got === 0;
if (!holds) console.log('CHANGED: no job is lost');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
