#!/usr/bin/env bash
# ioredis 6.0.0: WATCH does not survive a reconnect, which ioredis makes by itself, and EXEC goes through as if nothing had been watched.
#
# What: the server forgets what is watched when the connection ends. ioredis connects again without a word, selects the database and
# subscribes anew, but the WATCH is gone; multi() and exec() then run on a connection that watches nothing. In the same way MULTI sent by
# multi({ pipeline: false }) is forgotten: the command after the reconnect is no longer queued, it is made.
# Why it hurts: WATCH, GET, then the connection is lost and another client writes, MULTI, SET, EXEC: [[null, "OK"]], and the other's write
# is gone. A failover is exactly the moment at which both happen. Nothing in the reply differs from a transaction that was safe.
# Who should care: who makes a compare-and-set of WATCH. A script compares and sets in one command; else autoResubscribe-like settings do
# not help, only a retryStrategy of null and a client of its own for each transaction.
# Source: lib/redis/event_handler.ts (what is restored on "ready": database, subscriptions, monitor); the Redis documentation of WATCH: "when
# the connection is closed, everything gets UNWATCHed". node-redis refuses such an EXEC (WatchError).
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

/** A Redis on loopback without files, ready when this resolves. */
async function startRedis(port) {
  const args = ['--port', port, '--bind', '127.0.0.1', '--dir', process.cwd(), '--save', '', '--appendonly', 'no'];
  const server = spawn('redis-server', args, { stdio: 'ignore' });
  process.on('exit', () => server.kill('SIGKILL'));
  process.on('SIGTERM', () => process.exit(3));
  for (let tries = 0; ; tries += 1) {
    const socket = connect(port, '127.0.0.1');
    const ready = await once(socket, 'connect').then(() => true, () => false);
    socket.destroy();
    if (ready) return;
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
const redis = new Redis({ port, host: '127.0.0.1' });
const other = new Redis({ port, host: '127.0.0.1' });

/** The server ends the connection of `redis`, as its idle timeout or a failover does; resolves when ioredis has a new one. */
async function lose() {
  const ready = once(redis, 'ready');
  await other.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await ready;
}

/** Adds one by WATCH, while another client adds 100. */
async function add(between) {
  await redis.set('n', 0);
  await redis.watch('n');
  const read = Number(await redis.get('n'));
  await other.incrby('n', 100);
  await between();
  const replies = await redis.multi().set('n', read + 1).exec().catch((error) => error.message);
  return { replies: JSON.stringify(replies), n: await redis.get('n') };
}
const kept = await add(() => {});
const lost = await add(lose);

await redis.multi({ pipeline: false });
await redis.set('first', 'made');
await lose();
await redis.set('second', 'made');
const end = await redis.exec().then(String, (error) => error.message);
const [first, second] = await redis.mget('first', 'second');

console.log('expected: n was changed by another client after WATCH: exec() resolves with null or rejects, n is 100');
console.log(`seen:     without a reconnect: exec() ${kept.replies}, n ${kept.n}; with one in between: exec() ${lost.replies}, n ${lost.n}`);
console.log('expected: of a MULTI whose connection was lost nothing is made');
console.log(`seen:     exec(): ${end}; first: ${first}, second: ${second}`);

const holds = kept.replies === 'null' && kept.n === '100' && lost.replies === '[[null,"OK"]]' && lost.n === '1' && second === 'made';
if (!holds) console.log('CHANGED: a transaction whose connection was lost is not carried out');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
