#!/usr/bin/env bash
# redis-semaphore 5.8.0: the lease of a holder of a Semaphore ends by the lockTimeout of whoever asks next, not by its own.
#
# What: a holder is a member of a sorted set, its score the time at which it took or refreshed the slot; how long it wants to hold is
# stored nowhere. Who acquires, or refreshes, first removes all whose score is older than its own lockTimeout, by its own clock.
# Why it hurts: a deployment that lowers lockTimeout from ten minutes to five seconds, or one job with a shorter one under the same key,
# throws out everybody who is not refreshed within that; isAcquired stays true until their own next refresh, at 0.8 of the long timeout.
# Until then limit 1 has two holders. Mutex of the same package, a key with its own time, behaves as guessed.
# Who should care: who has Semaphore with limit 1 for a lock, and who changes a timeout in a running fleet. One lockTimeout for one key.
# Source: src/semaphore/acquire/lua.ts (expiredTimestamp is now - lockTimeout of the caller). The README warns of clocks that differ by
# more than lockTimeout, not of this.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm redis-server; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  redis-semaphore@5.8.0 ioredis@5.8.2 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Mutex, Semaphore } from 'redis-semaphore';

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

const { version } = JSON.parse(readFileSync('node_modules/redis-semaphore/package.json', 'utf8'));
console.log(`redis-semaphore@${version}, node ${process.version}`);

const port = await freePort();
await startRedis(port);

/** One that holds for 60 s, and a second later another one that wants to hold for half a second. */
async function contend(lockOf) {
  const [holder, newcomer] = [60_000, 500].map((lockTimeout) => lockOf(new Redis({ port, host: '127.0.0.1' }), { lockTimeout, acquireTimeout: 100 }));
  await holder.acquire();
  const atOnce = await newcomer.tryAcquire();
  await sleep(1_000);
  return { atOnce, later: await newcomer.tryAcquire(), holds: holder.isAcquired };
}
const mutex = await contend((redis, options) => new Mutex(redis, 'report', options));
const semaphore = await contend((redis, options) => new Semaphore(redis, 'report', 1, options));
console.log('expected: a lease of 60 s keeps the next one out after a second');
console.log(`seen:     Mutex: the next one got it ${mutex.later}`);
console.log(`          Semaphore of 1: at once ${semaphore.atOnce}, a second later ${semaphore.later}, while the first says isAcquired ${semaphore.holds}`);

const holds = !mutex.later && !semaphore.atOnce && semaphore.later && semaphore.holds;
if (!holds) console.log('CHANGED: a holder keeps its slot for its own time');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
