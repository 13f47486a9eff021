#!/usr/bin/env bash
# @durable-streams/server 0.3.7 with a folder: a stream that was closed, and told so, is open again where an append was under way.
#
# What: closing is for good, says the protocol. The file store reads the stream's record before an append and writes the whole of it back after the sync; a close in
# between does not wait for it, is stored, answered with Stream-Closed: true, and overwritten by the record from before. The store in memory has no such gap.
# Why it hurts: the close was acknowledged with the final offset, and behind that offset there is more: the append's bytes, and whatever comes later. Readers that were
# told of the end have stopped, who closed the stream to fence off other writers has not, and two readers of one "finished" stream do not agree.
# Who should care: who seals streams while others write to them. HEAD after the close, once the writers are done, and close again where Stream-Closed is missing.
# Source: src/file-store.ts (append takes a lock for the stream, closeStream takes none; updatedMeta spreads what was read before); the readme (the reference server).
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  @durable-streams/server@0.3.7 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { once } from 'node:events';
import { mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DurableStreamTestServer } from '@durable-streams/server';

const { version } = JSON.parse(readFileSync('node_modules/@durable-streams/server/package.json', 'utf8'));
console.log(`@durable-streams/server@${version}, node ${process.version}`);
// The server's own log.
console.info = () => {};
console.warn = console.info;

/** A port that is free now. */
async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

const dataDir = join(process.cwd(), 'data');
mkdirSync(dataDir);
const port = await freePort();
const server = new DurableStreamTestServer({ port, dataDir });
await server.start();

async function ask(method, path, body, more = {}) {
  const headers = { 'content-type': 'text/plain', ...more };
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, body, headers });
  const text = await answer.text();
  return { status: answer.status, isClosed: answer.headers.get('stream-closed') === 'true', offset: answer.headers.get('stream-next-offset'), text };
}
const storedBytes = () => readdirSync(join(dataDir, 'streams')).reduce((sum, name) => sum + statSync(join(dataDir, 'streams', name)).size, 0);

let reopened = 0;
console.log('expected: closed for good: an append that is under way comes before the end, or is refused; later ones are refused (409)');
for (const bytes of [1_000, 1_000_000, 4_000_000]) {
  const path = `/stream-${bytes}`;
  await ask('PUT', path);
  const before = storedBytes();
  const appended = ask('POST', path, 'x'.repeat(bytes));
  // The bytes are in the file, their sync is under way: now somebody closes the stream.
  while (storedBytes() === before) await new Promise(setImmediate);
  const close = await ask('POST', path, undefined, { 'stream-closed': 'true' });
  const append = await appended;
  const head = await ask('HEAD', path);
  const later = await ask('POST', path, 'more');
  const state = head.isClosed ? 'closed' : 'open';
  console.log(`seen:     append of ${bytes} bytes ${append.status}; close ${close.status}, closed: ${close.isClosed}, at ${Number(close.offset?.split('_')[1])};`);
  console.log(`          afterwards ${state}, at ${Number(head.offset?.split('_')[1])}; a later append ${later.status}`);
  if (close.isClosed && append.status === 204 && !head.isClosed && later.status === 204) reopened += 1;
}
await server.stop();
if (reopened === 0) console.log('CHANGED: a closed stream stays closed');
process.exit(reopened > 0 ? 0 : 1);
JS
code=0
timeout 40 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 40 seconds' >&2; exit 3; }
exit "$code"
