#!/usr/bin/env bash
# cluster-key-slot 1.1.1 in ioredis 6.0.0: keys with `{}` and a later `}` get another slot than the server gives them.
#
# What: an empty first pair of braces means "no tag": the server hashes the whole key and looks no further. The library goes on looking
# and hashes up to the next `}`. `foo{}{bar}` is the very example of the cluster specification. ioredis asks the wrong master each time,
# and learns nothing from MOVED.
# Why it hurts: every command takes two round trips, for ever; a pipeline is refused though all its keys live on one master; a slot that
# is computed with the package, to pick a node or to group keys, is wrong. Keys with braces are those of JSON-like and user-given names.
# Who should care: who lets users name keys, or computes slots in the client. @redis/client 6.3.1 has its own function and is right.
# Source: Redis cluster specification, "Hash tags"; redis/ioredis#2172 (merged after 6.0.0), redis/node-redis#3431; cluster-key-slot is
# archived.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm redis-server; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  ioredis@6.0.0 cluster-key-slot@1.1.1 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster, Redis } from 'ioredis';
import keySlot from 'cluster-key-slot';

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
console.log(`ioredis@${version('ioredis')}, cluster-key-slot@${version('cluster-key-slot')}, node ${process.version}`);

const KEY = 'foo{}{bar}';
const RANGES = [[0, 8191], [8192, 16383]];
const ports = [];
const masters = [];
for (const [index, range] of RANGES.entries()) {
  const [port, bus] = [await freePort(), await freePort()];
  await startRedis(port, '--cluster-enabled', 'yes', '--cluster-config-file', `nodes-${index}.conf`, '--cluster-port', bus);
  const master = new Redis(port, '127.0.0.1');
  await master.call('CLUSTER', 'ADDSLOTSRANGE', ...range);
  await master.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
  if (index > 0) await master.call('CLUSTER', 'MEET', '127.0.0.1', ports[0].port, ports[0].bus);
  ports.push({ port, bus });
  masters.push(master);
}
for (let tries = 0; ; tries += 1) {
  const infos = await Promise.all(masters.map((master) => master.call('CLUSTER', 'INFO')));
  if (infos.every((info) => info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:2'))) break;
  if (tries === 200) {
    console.error('the two masters do not form a cluster');
    process.exit(3);
  }
  await sleep(100);
}

/** How often the masters answered MOVED so far. */
async function moved() {
  const stats = await Promise.all(masters.map((master) => master.info('errorstats')));
  return stats.reduce((sum, text) => sum + Number(/errorstat_MOVED:count=(\d+)/.exec(text)?.[1] ?? 0), 0);
}

const cluster = new Cluster(ports.map(({ port }) => ({ host: '127.0.0.1', port })));
const byServer = await masters[0].call('CLUSTER', 'KEYSLOT', KEY);
const counts = {};
for (const key of ['plain', KEY]) {
  const before = await moved();
  for (let number = 0; number < 50; number += 1) await cluster.set(key, number);
  counts[key] = (await moved()) - before;
}
// Both keys live on the second master: slots 8363 and 15495.
const together = await cluster.pipeline().get(KEY).get('a').exec().then(() => 'done', (error) => error.message);
console.log(`expected: ${KEY} has the slot of the server, ${byServer}; after the first MOVED ioredis knows better`);
console.log(`seen:     cluster-key-slot says ${keySlot(KEY)}; of 50 SETs MOVED were ${counts[KEY]} (key "plain": ${counts.plain})`);
console.log(`          a pipeline with another key of the same master: ${together}`);

cluster.disconnect();
masters.forEach((master) => master.disconnect());
const holds = keySlot(KEY) !== byServer && counts[KEY] === 50 && counts.plain <= 1 && together.startsWith('All keys in the pipeline');
if (!holds) console.log('CHANGED: the slots agree, or ioredis learns from MOVED');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 50 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 50 seconds' >&2; exit 3; }
exit "$code"
