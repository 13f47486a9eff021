#!/usr/bin/env bash
# redis 6.3.1 (node-redis), a pool with clientSideCache: a GET after the pool's own SET answers the value before it, and an increment guarded by WATCH is lost though EXEC is accepted.
#
# What: the cache is one for the whole pool, but the server tells only the connection that read a key that the key has changed. Where another connection of the pool wrote it, the answer
# of the SET is there before that message has been worked off, and the next GET is answered from memory without asking anyone. WATCH goes to the server, the GET behind it does not: the
# server watches from the new value on, the client computes from the old one, and EXEC finds nothing changed.
# Why it hurts: who waits for his write reads the past in up to half of the rounds (23 to 179 of 400), in one process, with one server and without any failure; and compare-and-set, which is to hold whatever
# is read, overwrites an acknowledged write. With WATCH awaited before the GET it is rarer: 4 of 2,000 increments of four tasks were lost here, none without the cache.
# Who should care: who turns on the cache of a pool in a program that writes, too. A single client with the cache reads its own writes: there the message comes before the answer.
# Source: @redis/client, lib/client/cache.js (handleCache, no look at which connection asks) and pool.js (one clientSideCache for all); docs/client-side-caching.md of node-redis on pools.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm redis-server; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error redis@6.3.1 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, createClientPool, WatchError } from 'redis';

const probe = createServer().listen(0, '127.0.0.1');
await once(probe, 'listening');
const { port } = probe.address();
probe.close();
await once(probe, 'close');
const server = spawn('redis-server', ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], { stdio: 'ignore' });
process.on('exit', () => server.kill('SIGKILL'));
process.on('SIGTERM', () => process.exit(3));
for (let tries = 0; ; tries += 1) {
  const socket = connect(port, '127.0.0.1');
  const ready = await once(socket, 'connect').then(() => true, () => false);
  socket.destroy();
  if (ready) break;
  if (tries === 100) {
    console.error('redis-server does not start');
    process.exit(3);
  }
  await sleep(50);
}

const ROUNDS = 400;
const url = `redis://127.0.0.1:${port}`;
const observer = await createClient({ url, RESP: 3 }).connect();
const serverVersion = /redis_version:(\S+)/.exec(await observer.info('server'))[1];
const { version } = JSON.parse(readFileSync('node_modules/redis/package.json', 'utf8'));
console.log(`redis@${version}, node ${process.version}, redis-server ${serverVersion}`);

/** Adds one by compare-and-set; resolves once EXEC was accepted. */
async function increment(pool, key) {
  for (;;) {
    try {
      return await pool.execute(async (client) => {
        const [, value] = await Promise.all([client.watch(key), client.get(key)]);
        await client.multi().set(key, String(Number(value) + 1)).exec();
      });
    } catch (error) {
      if (!(error instanceof WatchError)) throw error;
    }
  }
}

/** How many reads after a write of the same pool missed it, and how many writes an increment overwrote that was told of no conflict. */
async function count(options) {
  const pool = await createClientPool({ url, RESP: 3 }, { minimum: 4, maximum: 4, ...options }).connect();
  const missed = { reads: 0, increments: 0 };
  for (let round = 1; round <= ROUNDS; round += 1) {
    await pool.set('read', String(round));
    if ((await pool.get('read')) !== String(round)) missed.reads += 1;
  }
  for (let round = 1; round <= ROUNDS; round += 1) {
    await pool.get('counter');
    await pool.set('counter', String(10 * round));
    await increment(pool, 'counter');
    if ((await observer.get('counter')) !== String(10 * round + 1)) missed.increments += 1;
  }
  await pool.close();
  return missed;
}

const plain = await count({});
const cached = await count({ clientSideCache: { ttl: 0, maxEntries: 0, evictPolicy: 'LRU' } });
const show = ({ reads, increments }) => `${reads} of ${ROUNDS} reads are older than the write before them, ${increments} of ${ROUNDS} accepted increments undid it`;
console.log('expected: a read after an acknowledged write of the same pool reads it, and an accepted increment is computed from it, cached or not');
console.log(`seen:     without the cache ${show(plain)};`);
console.log(`          with it ${show(cached)}`);

const holds = plain.reads === 0 && plain.increments === 0 && cached.reads > 0 && cached.increments > 0;
if (!holds) console.log('CHANGED: the cache of the pool keeps to the order of its writes');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 50 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 50 seconds' >&2; exit 3; }
exit "$code"
