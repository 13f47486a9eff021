#!/usr/bin/env bash
# ioredis 6.0.0: defineCommand recovers from NOSCRIPT by itself, but not inside multi(): there the rest of the transaction is committed.
#
# What: a script of defineCommand is sent as EVALSHA; on NOSCRIPT ioredis sends it again as EVAL. In multi() the commands are queued by
# the server and the NOSCRIPT comes at EXEC, as one reply among others: what stands before and after the script is done, the script is
# not, exec() does not reject.
# Why it hurts: a compare-and-set as a script with its bookkeeping around it in one transaction: the bookkeeping is committed, the write
# is missing. The scripts go with SCRIPT FLUSH, with a restart, with a failover; since Redis 7.4 and in Valkey 8 also by themselves, when
# 500 others came by EVAL. The client remembers for a connection that it loaded the script, so it does not look again.
# Who should care: who uses defineCommand in multi(). One script for all of it, or the replies of exec() looked through one by one.
# Source: the README on Lua scripting; lib/Script.ts and lib/Pipeline.ts (script exists); the Redis documentation on errors inside a
# transaction.
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
await startRedis(port);
const redis = new Redis({ port, host: '127.0.0.1' });
redis.defineCommand('write', { numberOfKeys: 1, lua: "return redis.call('SET', KEYS[1], ARGV[1])" });

await redis.write('value', 'a');
await redis.script('FLUSH');
await redis.write('value', 'b');
const alone = await redis.get('value');

await redis.script('FLUSH');
const replies = await redis.multi().incr('version').write('value', 'c').set('log', 'value is c').exec().catch((error) => error);
const [value, count, log] = await redis.mget('value', 'version', 'log');
const shown = Array.isArray(replies) ? replies.map(([error, reply]) => error?.message.split(' ')[0] ?? String(reply)).join(', ') : String(replies);
console.log('expected: after SCRIPT FLUSH the script is loaded again, or the transaction is not made at all');
console.log(`seen:     outside of multi(): value ${alone}; in multi(): exec() resolves with ${shown}`);
console.log(`          value ${value}, version ${count}, log "${log}"`);

redis.disconnect();
const holds = alone === 'b' && Array.isArray(replies) && value === 'b' && count === '1' && log === 'value is c';
if (!holds) console.log('CHANGED: the transaction is made with its script, or not at all');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
