#!/usr/bin/env bash
# simple-redis-mutex 3.0.0: the holder that lost its lock gets the larger fencing token.
#
# What: the lock is taken with SET NX PX, and then, as a command of its own, the token is drawn with INCR. A process that is held up
# between the two (a collection of garbage, a suspended machine, a slow link) for longer than the timeout loses the lock, and draws its
# token after the next holder drew its own.
# Why it hurts: a fencing token is there for exactly this process: the storage refuses the older token. Here the storage refuses the
# rightful holder and lets the expired one write. Drawn in one script with the SET, the token would be right.
# Who should care: who passes release.fencingToken to a store that checks it, or draws tokens next to a lock.
# Source: the package's readme ("Fencing Token": the order in which locks are acquired) and dist/index.js, tryLock.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm redis-server; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  simple-redis-mutex@3.0.0 redis@6.3.1 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'redis';
import { tryLock } from 'simple-redis-mutex';

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

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
console.log(`simple-redis-mutex@${version('simple-redis-mutex')}, redis@${version('redis')}, node ${process.version}`);

const port = await freePort();
await startRedis(port);
const url = `redis://127.0.0.1:${port}`;
const slow = await createClient({ url }).connect();
const quick = await createClient({ url }).connect();
// The slow process is held up once, after the answer of its SET came.
const set = slow.set.bind(slow);
slow.set = async (...args) => {
  const reply = await set(...args);
  await sleep(800);
  return reply;
};

const acquiring = tryLock(slow, 'store', { timeout: 400 });
await sleep(600);
const [second, secondRelease] = await tryLock(quick, 'store', { timeout: 20_000 });
const [first, firstRelease] = await acquiring;
console.log('expected: the first holder, whose lock expired, has the smaller token: the store refuses it');
console.log(`seen:     first holder (expired): ${first}, token ${firstRelease.fencingToken}; second (holds the lock): ${second}, token ${secondRelease.fencingToken}`);

const holds = first && second && firstRelease.fencingToken > secondRelease.fencingToken;
if (!holds) console.log('CHANGED: tokens follow the order of the locks');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
