#!/usr/bin/env bash
# @y/websocket-server 0.1.1 with a persistence of one's own: who joins while writeState() of the last leaver is under way works on the older state, and what he leaves is stored over it: an edit that the server had accepted is gone.
#
# What: when the last client leaves, the server takes the document off its list before writeState() has resolved; the next client gets a new one, which bindState() reads from the store as it is at that moment. The two documents never meet.
# With the LevelDB persistence, which stores each change by itself, nothing is lost.
# Why it hurts: a page that is reloaded, or handed over, is left and joined within a moment, and a state in S3 or a database takes that moment. Whoever left is told nothing, and has no copy that would bring the edit back.
# Who should care: who stores whole states in writeState(). Store changes as they come, or merge with what is stored before writing (Y.mergeUpdates), or let bindState() await the write that is under way for its document.
# Source: src/utils.js, closeConn(): docs.delete() beside writeState().then(); the types say that writeState() is a promise.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error @y/websocket-server@0.1.1 y-websocket@2.1.0 yjs@13.6.29 ws@8.23.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { setPersistence, setupWSConnection } from '@y/websocket-server/utils';
import { WebSocket, WebSocketServer } from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';

const versionOf = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
const WRITE_MS = 500;
const store = new Map();
setPersistence({
  provider: undefined,
  bindState: (name, doc) => {
    if (store.has(name)) Y.applyUpdate(doc, store.get(name));
  },
  writeState: async (name, doc) => {
    const state = Y.encodeStateAsUpdate(doc);
    await sleep(WRITE_MS);
    store.set(name, state);
  },
});
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
server.on('connection', setupWSConnection);
await once(server, 'listening');

/** A client that is synced. */
async function join(name) {
  const doc = new Y.Doc();
  const provider = new WebsocketProvider(`ws://127.0.0.1:${server.address().port}`, name, doc, { WebSocketPolyfill: WebSocket, disableBc: true });
  await new Promise((resolve) => provider.once('sync', resolve));
  return { list: doc.getArray('orders'), leave: () => provider.destroy() };
}
/** Ann adds an order, which the server has, and leaves; Bob joins some time later, adds one, and leaves; what is stored in the end, and what Bob saw? */
async function handOver(name, afterMs) {
  const ann = await join(name);
  ann.list.push(['ann']);
  // A second client has seen the order: the server has it.
  const other = await join(name);
  const accepted = other.list.toArray().join(', ');
  other.leave();
  await sleep(50);
  ann.leave();
  await sleep(afterMs);
  const bob = await join(name);
  const seen = bob.list.toArray().join(', ') || 'nothing';
  bob.list.push(['bob']);
  await sleep(WRITE_MS * 2);
  bob.leave();
  await sleep(WRITE_MS * 2);
  const last = await join(name);
  const stored = last.list.toArray().join(', ');
  last.leave();
  return { accepted, seen, stored };
}
const within = await handOver('within', 100);
const later = await handOver('later', WRITE_MS * 2);
server.close();
const tell = ({ accepted, seen, stored }) => `the server had: ${accepted}; bob saw: ${seen}; in the end there is: ${stored}`;
console.log(`@y/websocket-server@${versionOf('@y/websocket-server')}, y-websocket@${versionOf('y-websocket')}, yjs@${versionOf('yjs')}, node ${process.version}`);
console.log('expected: ann, bob, however soon after ann bob comes');
console.log(`seen:     bob joins after ann's document was written: ${tell(later)}`);
console.log(`          while it is being written: ${tell(within)}`);
const holds = later.stored === 'ann, bob' && within.accepted === 'ann' && within.seen === 'nothing' && within.stored === 'bob';
if (!holds) console.log('CHANGED: nothing is lost');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 40 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 40 seconds' >&2; exit 3; }
exit "$code"
