#!/usr/bin/env bash
# undici 7.30.2 with express 5.3.0: a GET that is retried in the middle of its body resolves with a text that was never stored: half of the
# old version, half of the new one.
#
# What: interceptors.retry() and RetryAgent ask for the rest of a broken body by Range. What they go on with must be the same version;
# that is asked for by If-Match, but only where the first answer had a strong ETag: a weak one is thrown away, and the request has no
# condition at all. express.static and res.sendFile have weak ETags only. The 206 that comes has the new file's bytes from there on.
# Why it hurts: status 200, the length is right, and the body is the front of one version and the tail of another: a torn read over a
# server that replaces its files atomically. It takes a connection that breaks while a file is replaced, as a restart with a deployment
# does.
# Who should care: who reads snapshots, backups, lists or configurations over HTTP with retries. Check a sum of the content, let the server
# give strong ETags, or retry the whole request.
# Source: lib/handler/retry-handler.js (the etag that is dropped when it begins with W/); RFC 9110, section 14.2 and 13.1.5 (a weak
# validator is no condition for a range, so do not ask for one).
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  undici@7.30.2 express@5.3.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { once } from 'node:events';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import express from 'express';
import { Agent, interceptors, request, RetryAgent } from 'undici';

const versionOf = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
console.log(`undici@${versionOf('undici')}, express@${versionOf('express')}, node ${process.version}`);

const BYTES = 1_000_000;
mkdirSync('public');
/** Replaces the file as one should: a new one beside it, then a rename. */
function publish(letter) {
  writeFileSync('next', letter.repeat(BYTES));
  renameSync('next', 'public/snapshot');
}

const app = express();
const asked = [];
app.use((incoming, _, next) => {
  asked.push(`range ${incoming.headers.range}, if-match ${incoming.headers['if-match']}, if-range ${incoming.headers['if-range']}`);
  next();
});
app.use(express.static('public'));
const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');

/** Between client and server; where told so, it ends the connection in the middle of the body, when the file has just been replaced. */
let cutNext = false;
const proxy = createServer((client) => {
  const upstream = connect(server.address().port, '127.0.0.1');
  client.pipe(upstream);
  let bytes = 0;
  upstream.on('data', (data) => {
    if (cutNext && bytes + data.length > BYTES / 2) {
      cutNext = false;
      publish('b');
      upstream.destroy();
      client.destroySoon();
      return;
    }
    bytes += data.length;
    client.write(data);
  });
  for (const [one, other] of [[client, upstream], [upstream, client]]) one.on('error', () => {}).on('close', () => other.destroySoon());
}).listen(0, '127.0.0.1');
await once(proxy, 'listening');

async function read(dispatcher) {
  publish('a');
  cutNext = true;
  const { statusCode, body } = await request(`http://127.0.0.1:${proxy.address().port}/snapshot`, { dispatcher });
  const text = await body.text();
  return { statusCode, length: text.length, old: text.split('a').length - 1, fresh: text.split('b').length - 1 };
}
const results = [];
for (const dispatcher of [new Agent().compose(interceptors.retry()), new RetryAgent(new Agent())]) {
  results.push(await read(dispatcher).catch((error) => ({ statusCode: error.message, length: 0, old: 0, fresh: 0 })));
}
console.log('expected: the old version, the new one, or an error');
for (const [number, name] of ['interceptors.retry()', 'RetryAgent'].entries()) {
  const { statusCode, length, old, fresh } = results[number];
  console.log(`seen:     ${name}: ${statusCode}, ${length} bytes: ${old > 0 ? 'a…' : ''}${fresh > 0 ? 'b…' : ''}`);
}
console.log(`          the second request had: ${asked[1]?.replace(/\d+-/, 'N-')}`);

const holds = results.every(({ statusCode, length, old, fresh }) => statusCode === 200 && length === BYTES && old > 0 && fresh > 0);
if (!holds) console.log('CHANGED: what is read is one version, or refused');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
