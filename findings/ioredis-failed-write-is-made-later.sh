#!/usr/bin/env bash
# ioredis 6.0.0: a write that was rejected with "Command timed out" is sent when the server is back.
#
# What: a command that is issued while there is no connection waits in the offline queue (the default). commandTimeout rejects its
# promise, and leaves the command in the queue: with the next connection it is written to the server and carried out.
# Why it hurts: the caller gave up long ago, told its client so, or wrote elsewhere; then the server restarts, and an old value overwrites
# a newer one, or a lock is taken that nobody will release. The longer the outage, the more such writes come in one burst.
# enableOfflineQueue: false ends it.
# Who should care: who sets commandTimeout in order to fail fast.
# Source: lib/Redis.ts, sendCommand and offlineQueue; issue redis/ioredis#2130 and pull request #2131, both open when this was written.
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
const client = new Redis({ port, host: '127.0.0.1', commandTimeout: 200, retryStrategy: () => 100 });
client.on('error', () => {});
const outcome = await client.set('leader', 'old').catch((error) => error.message);
await startRedis(port);
await sleep(1_000);
const other = new Redis({ port, host: '127.0.0.1' });
const leader = await other.get('leader');
console.log('expected: a write that was reported as failed before it was ever sent is not made');
console.log(`seen:     SET leader old: ${outcome}; a second after the server came leader is ${leader}`);

client.disconnect();
other.disconnect();
const holds = outcome === 'Command timed out' && leader === 'old';
if (!holds) console.log('CHANGED: a command that timed out in the queue is not sent');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
