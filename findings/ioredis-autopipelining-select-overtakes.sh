#!/usr/bin/env bash
# ioredis 6.0.0: with enableAutoPipelining commands are not sent in the order in which they were made: a write lands in another database.
#
# What: commands wait for the end of the tick and go out as one pipeline; a few never wait, among them select, multi and pipeline. So what
# is made after them overtakes what is made before them, on one client and one connection. The README calls it a change of speed that
# needs no other change of code.
# Why it hurts: set('k', ...), then select(1): the SET is carried out in database 1, with OK. set(...), then multi().get(...).exec(): the
# transaction reads what was there before the write. Tests that await each command never see it.
# Who should care: who turns the option on in a program that relies on the order of one connection. Await the write first.
# Source: lib/autoPipelining.ts (notAllowedAutoPipelineCommands); the README on autopipelining.
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
const other = new Redis({ port, host: '127.0.0.1' });

async function run(enableAutoPipelining) {
  await other.flushall();
  const redis = new Redis({ port, host: '127.0.0.1', enableAutoPipelining });
  await redis.ping();
  const set = redis.set('seat', 'taken');
  const transaction = redis.multi().get('seat').exec();
  const [reply, [[, read]]] = await Promise.all([set, transaction]);

  await Promise.all([redis.set('job', 'done'), redis.select(1)]);
  await other.select(1);
  const inOne = await other.get('job');
  await other.select(0);
  const inZero = await other.get('job');
  redis.disconnect();
  return { reply, read, inZero, inOne };
}
const plain = await run(false);
const piped = await run(true);
console.log('expected: SET seat, then MULTI GET seat EXEC: "taken"; SET job, then SELECT 1: job is in database 0');
for (const [name, { reply, read, inZero, inOne }] of [['without', plain], ['with', piped]]) {
  console.log(`seen:     ${name} autopipelining: SET ${reply}, the transaction read ${read}; job in database 0: ${inZero}, in database 1: ${inOne}`);
}

other.disconnect();
const holds = plain.read === 'taken' && plain.inZero === 'done' && piped.read === null && piped.inZero === null && piped.inOne === 'done';
if (!holds) console.log('CHANGED: commands are sent in the order in which they were made');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
