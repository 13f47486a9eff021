#!/usr/bin/env bash
# redis 6.3.1 (node-redis), clientSideCache: after `select(1)` a GET answers the value of database 0, and a compare-and-set in database 1 is made with it.
#
# What: the key of the cache is the command and its arguments, without the database; `select` neither empties the cache nor goes into the key. So does a cache that two clients of two
# databases were given. The server watches the key of the right database, nobody writes it, and EXEC is accepted. `duplicate({ database })` has a cache of its own and is right.
# Why it hurts: no error, and the write is right on its own: tenants, tests or environments that are kept apart by databases read one another, and one's balance is written over another's.
# Who should care: who uses `select` or one cache for more than one database and turns the cache on for speed.
# Source: @redis/client, lib/client/cache.js (generateCacheKey, handleCache) and index.js (select); docs/client-side-caching.md of node-redis says nothing on databases.
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
import { BasicClientSideCache, createClient } from 'redis';

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

const url = `redis://127.0.0.1:${port}`;
const CACHE = { ttl: 0, maxEntries: 0, evictPolicy: 'LRU' };
const observer = await createClient({ url, database: 1 }).connect();
const serverVersion = /redis_version:(\S+)/.exec(await observer.info('server'))[1];
const { version } = JSON.parse(readFileSync('node_modules/redis/package.json', 'utf8'));
console.log(`redis@${version}, node ${process.version}, redis-server ${serverVersion}`);

/** Takes 10 from the balance of database 1 by compare-and-set, after the one of database 0 was looked at; the balance that is left. */
async function withdraw(reader, writer) {
  await reader.set('balance', '1000');
  await observer.set('balance', '50');
  await reader.get('balance');
  await writer.select(1);
  await writer.watch('balance');
  const balance = Number(await writer.get('balance'));
  await writer.multi().set('balance', String(balance - 10)).exec();
  return observer.get('balance');
}

const open = (options) => createClient({ url, RESP: 3, ...options }).connect();
const plain = await open({});
const cached = await open({ clientSideCache: CACHE });
const shared = { clientSideCache: new BasicClientSideCache(CACHE) };
const left = {
  'one client without the cache': await withdraw(plain, plain),
  'one client with it': await withdraw(cached, cached),
  'two clients with one cache': await withdraw(await open(shared), await open({ ...shared, database: 1 })),
};
console.log('expected: 10 from the 50 of database 1 leave 40 there, whatever database 0 holds');
console.log(`seen:     ${Object.entries(left).map(([who, balance]) => `${who}: ${balance}`).join('; ')}`);

const holds = Object.values(left).join() === '40,990,990';
if (!holds) console.log('CHANGED: each database is read by itself');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 50 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 50 seconds' >&2; exit 3; }
exit "$code"
