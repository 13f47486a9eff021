#!/usr/bin/env bash
# undici 7.30.2, and Node's own fetch: a server that keeps idle connections for 2 seconds gets a new connection for every request.
#
# What: a Node server names its keepAliveTimeout in `Keep-Alive: timeout=2`. undici takes keepAliveTimeoutThreshold (2,000 ms by default)
# off what the server names, so as not to meet its end; what is left is nothing, and the connection is closed after each answer, even if
# the next request is there at once. At 3 seconds one connection serves all. timeout is in whole seconds, rounded down: 2.9 seconds are as
# good as 2.
# Why it hurts: each request pays for a handshake, TIME_WAITs pile up, and under load ports run out; a benchmark measures connects. The
# cause stands on the other side, in a setting that looks harmless (short keep-alives are common behind load balancers).
# Who should care: who tunes keepAliveTimeout of Node servers that Node clients call, or measures round trips with either.
# Source: the undici documentation on keepAliveTimeoutThreshold; lib/dispatcher/client-h1.js, onHeadersComplete.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  undici@7.30.2 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';

const { version } = JSON.parse(readFileSync('node_modules/undici/package.json', 'utf8'));
console.log(`undici@${version}, node ${process.version} with undici ${process.versions.undici}`);

const REQUESTS = 20;
/** How many connections the requests take, one after the other, 10 ms apart. */
async function connections(keepAliveTimeout, get) {
  let count = 0;
  const server = createServer({ keepAliveTimeout }, (request, response) => response.end('x')).listen(0, '127.0.0.1');
  server.on('connection', () => (count += 1));
  await once(server, 'listening');
  const ask = get(`http://127.0.0.1:${server.address().port}`);
  for (let number = 0; number < REQUESTS; number += 1) {
    await ask();
    await sleep(10);
  }
  return count;
}
const pool = (origin) => {
  const one = new Pool(origin, { connections: 1 });
  return async () => (await one.request({ path: '/', method: 'GET' })).body.text();
};
const fetched = (origin) => async () => (await fetch(origin)).text();

const counts = [];
for (const seconds of [2, 3]) counts.push({ seconds, pool: await connections(seconds * 1_000, pool), fetched: await connections(seconds * 1_000, fetched) });
const [two, three] = counts;
console.log(`expected: ${REQUESTS} requests within a second share one connection, where the server keeps idle ones for two`);
for (const count of counts) console.log(`seen:     kept for ${count.seconds} s: ${count.pool} connections with undici, ${count.fetched} with fetch`);

const holds = two.pool === REQUESTS && two.fetched === REQUESTS && three.pool < 3 && three.fetched < 3;
if (!holds) console.log('CHANGED: connections are reused');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
