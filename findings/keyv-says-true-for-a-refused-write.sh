#!/usr/bin/env bash
# keyv 5.6.0 over @keyv/redis 5.1.6: set() resolves to true for a write that Redis refused; get() answers the old value.
#
# What: the adapter catches the error of each command, emits it as an event and returns nothing; keyv takes nothing for success and answers true, which is the answer
# for "stored". cacheable 2.5.0 does the same, and says true for delete(), too. Only throwOnErrors on both the adapter and Keyv makes it a rejection: on keyv alone it
# does not reach the adapter, on the adapter alone it makes true into false.
# Why it hurts: a master that became a replica (READONLY), a full memory (OOM), a failed save (MISCONF), too few replicas (NOREPLICAS): each refuses writes for as
# long as somebody needs to see it, and each acknowledged write of that time is lost. Who checks the answer, as the manual's true invites to, sees nothing.
# Who should care: who keeps sessions, idempotency keys or states in keyv, not only what can be computed again.
# Source: jaredwray/keyv issue 1244 (for adapters that throw or answer false; closed); @keyv/redis, set (it returns nothing either way); the readme of keyv, where set() answers true.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm redis-server; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  keyv@5.6.0 @keyv/redis@5.1.6 redis@6.3.1 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import KeyvRedis from '@keyv/redis';
import Keyv from 'keyv';
import { createClient } from 'redis';

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
console.log(`keyv@${version('keyv')}, @keyv/redis@${version('@keyv/redis')}, node ${process.version}`);

const port = await freePort();
await startRedis(port);
const url = `redis://127.0.0.1:${port}`;
const operator = await createClient({ url }).connect();

/** The answers for a write that is made and one that Redis refuses, and what is read then. */
async function write(onAdapter, onKeyv) {
  const keyv = new Keyv(new KeyvRedis(url, { throwOnErrors: onAdapter }), { throwOnErrors: onKeyv });
  const events = [];
  keyv.on('error', (error) => events.push(error.message.split(' ')[0]));
  const made = await keyv.set('owner', 'first');
  // As a Redis does whose replicas are gone; READONLY, OOM and MISCONF come the same way.
  await operator.configSet('min-replicas-to-write', '1');
  const refused = await keyv.set('owner', 'second').catch((error) => `rejected (${error.message.split(' ')[0]})`);
  await operator.configSet('min-replicas-to-write', '0');
  return { made, refused, read: await keyv.get('owner'), events: events[0] };
}

const normal = await write(false, false);
const onlyKeyv = await write(false, true);
const both = await write(true, true);
console.log('expected: a set() that Redis refused is rejected, or says false');
console.log(
  `seen:     made: ${normal.made}; refused: ${normal.refused}, then get(): ${normal.read} (event: ${normal.events});`,
  `with throwOnErrors of keyv: ${onlyKeyv.refused}, get(): ${onlyKeyv.read}; of both: ${both.refused}`,
);

const holds = normal.made === true && normal.refused === true && normal.read === 'first';
if (!holds) console.log('CHANGED: a refused write is not called true');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
