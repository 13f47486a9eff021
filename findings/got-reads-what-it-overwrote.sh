#!/usr/bin/env bash
# got 14.6.6: with `cache` a client reads what it has overwritten itself: a PUT, PATCH, POST or DELETE leaves the stored answer of the same URL valid.
#
# What: RFC 9111 has a cache invalidate what it stored under a URL when an unsafe request to it succeeds. cacheable-request, got's cache, looks at nothing but the age: until
# max-age is over the GET is answered with what was there before. The ETag that comes with it is the old one.
# Why it hurts: read, change, read again in one process: the second read shows the old state, the next conditional PUT carries an outdated ETag and is refused until the age is over, and
# what was deleted is still there. make-fetch-happen and undici's cache do invalidate.
# Who should care: who reads and writes the same URLs through one client with a cache.
# Source: RFC 9111, section 4.4; cacheable-request's index (no branch for unsafe methods); got's documentation calls its cache "RFC 7234 compliant", which had the same rule.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  got@14.6.6 make-fetch-happen@15.0.6 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import got from 'got';
import fetch from 'make-fetch-happen';

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
console.log(`got@${version('got')}, make-fetch-happen@${version('make-fetch-happen')}, node ${process.version}`);

let revision = 0;
const server = createServer((request, response) => {
  request.resume();
  if (request.method !== 'GET') revision += 1;
  response.writeHead(200, { 'cache-control': 'max-age=60', etag: `"${revision}"` }).end(`revision ${revision}`);
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${server.address().port}/state`;

/** What is read, written by each method and read again through one client. */
async function readWriteRead(ask) {
  revision = 1;
  const read = [await ask('GET')];
  for (const method of ['PUT', 'PATCH', 'POST', 'DELETE']) {
    await ask(method);
    read.push(await ask('GET'));
  }
  return read.map((text) => text.replace('revision ', '')).join(', ');
}

const client = got.extend({ cache: new Map() });
const withGot = await readWriteRead((method) => client(url, { method, body: method === 'GET' ? undefined : 'new' }).text());
const cached = fetch.defaults({ cachePath: 'cache' });
const withFetch = await readWriteRead(async (method) => (await cached(url, { method, body: method === 'GET' ? undefined : 'new' })).text());
server.close();
console.log('expected: revisions 1, 2, 3, 4, 5: each write is read');
console.log(`seen:     got: ${withGot}; make-fetch-happen: ${withFetch}`);
const holds = withGot === '1, 1, 1, 1, 1' && withFetch === '1, 2, 3, 4, 5';
if (!holds) console.log('CHANGED: what was overwritten is not read');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
