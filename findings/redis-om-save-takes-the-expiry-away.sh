#!/usr/bin/env bash
# redis-om 0.4.7: save() of a hash that expires takes its expiry away: what was to end in a minute stays for good.
#
# What: in Redis a write to a field of a hash leaves its time to live alone. The repository does not write to it: save() unlinks the key and makes it anew, without a time. The entity that fetch() gives, changed and saved, has none any
# more, and no call says so; expire() has to be called after each save(), and a process that ends between the two leaves it without.
# Why it hurts: a session, a cart, a one-time code that is touched once, for a counter or a "last seen", is there for ever: the time that was to end it ends nothing, and the memory of the server fills with what nobody removes.
# Who should care: who uses expire() or expireAt() with hashes. Call it after every save(), or write single fields by the client's hSet().
# Source: dist/index.js, hsetall(), MULTI, UNLINK, HSET; the README has expire(), and says nothing of save() after it.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm redis-server; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error redis-om@0.4.7 redis@4.7.1 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'redis';
import { EntityId, Repository, Schema } from 'redis-om';

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
const client = await createClient({ url: `redis://127.0.0.1:${port}` }).connect();
const server = /redis_version:(\S+)/.exec(await client.info('server'))[1];

const schema = new Schema('session', { user: { type: 'string' }, visits: { type: 'number' } }, { dataStructure: 'HASH' });
const sessions = new Repository(schema, client);
const minute = 60;
const session = await sessions.save({ user: 'ann', visits: 1 });
const key = `session:${session[EntityId]}`;
await sessions.expire(session[EntityId], minute);
const atFirst = await client.ttl(key);
await client.hSet(key, 'visits', '2');
const afterWrite = await client.ttl(key);
const again = await sessions.fetch(session[EntityId]);
again.visits = 3;
await sessions.save(again);
const afterSave = await client.ttl(key);
const { visits } = await sessions.fetch(session[EntityId]);
await client.quit();

const tell = (seconds) => (seconds === -1 ? 'none' : `${seconds} s`);
console.log(`redis-om@${versionOf('redis-om')}, redis@${versionOf('redis')}, Redis ${server}, node ${process.version}`);
console.log('expected: a session that was to expire in 60 seconds does, be it changed or not');
console.log(`seen:     time to live: ${tell(atFirst)}; after an HSET: ${tell(afterWrite)}; fetched, changed and saved (visits ${visits}): ${tell(afterSave)}`);
const holds = atFirst > 0 && afterWrite > 0 && visits === 3 && afterSave === -1;
if (!holds) console.log('CHANGED: save() keeps the time to live');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 40 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 40 seconds' >&2; exit 3; }
exit "$code"
