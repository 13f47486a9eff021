#!/usr/bin/env bash
# undici 7.30.2: RetryAgent repeats a conditional PUT whose answer was lost, and reports 412 for a write that was made.
#
# What: PUT is idempotent, so RetryAgent and interceptors.retry() repeat it by default after a connection error. With If-Match it is a
# compare-and-set: the first one was applied and moved the ETag on, the second one meets its own write, and 412 Precondition Failed is all
# that the caller hears. Without the agent the caller gets a socket error, which rightly says "unknown".
# Why it hurts: 412 is the certain answer "not applied, somebody else was first". The caller re-reads, merges and writes again: a counter
# counts twice. The automatic retry turns the third outcome, unknown, into a wrong second one.
# Who should care: who does optimistic concurrency over HTTP (If-Match, version in the body) through a client that retries by method.
# Source: RFC 9110, sections 9.2.2 and 13.1.1 (which allows a server to recognise the repeat, none must); lib/handler/retry-handler.js,
# methods.
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
import { Agent, request, RetryAgent } from 'undici';

const { version } = JSON.parse(readFileSync('node_modules/undici/package.json', 'utf8'));
console.log(`undici@${version}, node ${process.version}`);

let counter;
let etag;
let puts;
/** A counter with an ETag. The connection of the first PUT ends after the write and before the answer. */
const server = createServer(async (incoming, response) => {
  const body = Buffer.concat(await incoming.toArray()).toString();
  puts += 1;
  if (incoming.headers['if-match'] !== `"${etag}"`) {
    response.writeHead(412).end();
    return;
  }
  [counter, etag] = [Number(body), etag + 1];
  if (puts === 1) incoming.socket.destroy();
  else response.writeHead(204).end();
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${server.address().port}/counter`;

async function put(dispatcher) {
  [counter, etag, puts] = [0, 1, 0];
  const outcome = await request(url, { dispatcher, method: 'PUT', headers: { 'if-match': '"1"' }, body: '1' }).then(
    async ({ statusCode, body }) => {
      await body.dump();
      return `status ${statusCode}`;
    },
    ({ code }) => code,
  );
  return { outcome, counter, puts };
}
const plain = await put(new Agent());
const retried = await put(new RetryAgent(new Agent()));
console.log('expected: a conditional PUT whose answer is lost ends as an error: its outcome is not known');
console.log(`seen:     Agent: ${plain.outcome}, counter ${plain.counter}, ${plain.puts} PUT`);
console.log(`          RetryAgent: ${retried.outcome}, counter ${retried.counter}, ${retried.puts} PUTs`);

const holds = plain.outcome === 'UND_ERR_SOCKET' && retried.outcome === 'status 412' && retried.counter === 1 && retried.puts === 2;
if (!holds) console.log('CHANGED: a conditional PUT is not repeated, or not reported as refused');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
