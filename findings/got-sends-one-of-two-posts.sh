#!/usr/bin/env bash
# got 14.6.6: with `cache` the second of two equal POSTs is not sent where the first answer had a max-age: it resolves with the first answer.
#
# What: got hands requests of every method to its cache. That stores the answer of a POST that has an explicit age, as the standard allows, and gives it to the next POST with the
# same URL and body, as it does not: RFC 9111 has a cache write through whatever is unsafe, and lets the answer of a POST serve a later GET only. PUT and DELETE are sent.
# Why it hurts: "POST /visits/increment", "POST /jobs/7/retry", "POST /locks/a/renew", two coffees for the same card: each is acknowledged with 200 and what the first one said,
# and the server hears of one. A proxy that adds Cache-Control to all answers is enough; isFromCache is the only trace.
# Who should care: who extends one client with a cache and uses it for writes, too. Pass cache: false with them.
# Source: cacheable-request (the key is method, URL and a hash of the body; no look at whether the method is safe), http-cache-semantics' storable().
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error got@14.6.6 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import got from 'got';

const { version } = JSON.parse(readFileSync('node_modules/got/package.json', 'utf8'));
console.log(`got@${version}, node ${process.version}`);

let visits = 0;
let headers = {};
const server = createServer((request, response) => {
  request.resume();
  visits += request.method === 'POST' ? 1 : 0;
  response.writeHead(200, headers).end(String(visits));
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${server.address().port}/visits/increment`;

/** What three increments are told, and how many the server had. */
async function increment(answerHeaders, bodyOf) {
  visits = 0;
  headers = answerHeaders;
  const client = got.extend({ cache: new Map() });
  const told = [];
  for (let times = 0; times < 3; times += 1) told.push(await client.post(url, { json: bodyOf(times) }).text());
  return `told ${told.join(', ')}; the server counts ${visits}`;
}

const aged = { 'cache-control': 'max-age=60' };
const seen = {
  'without max-age, one body': await increment({}, () => ({ page: 'home' })),
  'max-age=60, three bodies': await increment(aged, (times) => ({ page: times })),
  'max-age=60, one body': await increment(aged, () => ({ page: 'home' })),
  'max-age=60, no body': await increment(aged, () => undefined),
};
server.close();
console.log('expected: three increments, 1, 2 and 3, whatever the cache may keep');
for (const [name, told] of Object.entries(seen)) console.log(`seen:     ${name}: ${told}`);
const isMade = (told) => told === 'told 1, 2, 3; the server counts 3';
const isSwallowed = (told) => told === 'told 1, 1, 1; the server counts 1';
const [plain, different, equal, empty] = Object.values(seen);
const holds = isMade(plain) && isMade(different) && isSwallowed(equal) && isSwallowed(empty);
if (!holds) console.log('CHANGED: every POST is sent');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
