#!/usr/bin/env bash
# undici 7.30.2: headersTimeout of 100 ms fires after a second.
#
# What: the timers of the HTTP/1.1 parser are "fast timers" that tick about twice a second: the shortest fires after about 1,000 ms, and
# 999 takes 1,500. The documentation says since July 2026 that delays of up to 1,000 ms use native timers; those of the parser do not.
# AbortSignal.timeout() is exact.
# Why it hurts: a quorum client that gives a node 100 ms before it turns to the next waits ten times as long; election and lease
# arithmetic that counts on the bound is off by a second for each hop; a benchmark of failures measures the timer.
# Who should care: who sets timeouts below a second, per Pool or per request.
# Source: lib/dispatcher/client-h1.js (TIMEOUT_HEADERS uses setFastTimeout), lib/util/timers.js; nodejs/undici#3798, #4055 and #5543.
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
import { Pool } from 'undici';

const { version } = JSON.parse(readFileSync('node_modules/undici/package.json', 'utf8'));
console.log(`undici@${version}, node ${process.version}`);

const server = createServer(() => {}).listen(0, '127.0.0.1');
await once(server, 'listening');
const pool = new Pool(`http://127.0.0.1:${server.address().port}`);

async function time(options) {
  const start = performance.now();
  const { code, name } = await pool.request({ path: '/', method: 'GET', ...options }).catch((error) => error);
  return { ms: Math.round(performance.now() - start), error: typeof code === 'string' ? code : name };
}
const headers = [];
for (const ms of [100, 300, 999]) headers.push({ asked: ms, ...(await time({ headersTimeout: ms })) });
const signal = await time({ signal: AbortSignal.timeout(100) });

console.log('expected: headersTimeout of 100, 300 and 999 ms fires after about 100, 300 and 999 ms');
console.log(`seen:     ${headers.map(({ asked, ms, error }) => `${asked}: ${ms} ms (${error})`).join(', ')}`);
console.log(`          AbortSignal.timeout(100): ${signal.ms} ms`);

const holds = headers.every(({ asked, ms, error }) => error === 'UND_ERR_HEADERS_TIMEOUT' && ms > asked + 250) && headers[0].ms > 600 && signal.ms < 400;
if (!holds) console.log('CHANGED: timeouts of less than a second come in time');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
