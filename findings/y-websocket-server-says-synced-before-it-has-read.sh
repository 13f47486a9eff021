#!/usr/bin/env bash
# @y/websocket-server 0.1.1 with YPERSISTENCE: the first client of a document is "synced" before the server has read what is stored: it sees an empty document, and what it puts where nothing is replaces what is stored.
#
# What: the server begins to read the document from LevelDB when the first client comes, and answers it meanwhile from the empty one; nobody waits for bindState(). What is stored arrives some moments later as an ordinary change. Who
# comes while another client is there finds all of it.
# Why it hurts: "wait for sync; where the document is empty, fill it with the defaults" is how shared documents begin. It is done again on each morning's first visit: both values are then concurrent, in a map one of them wins by chance of the
# client's number, and in a text or a list the beginning is there twice. The owner, the rights, the settings of the stored document are replaced, for good.
# Who should care: who runs the server with persistence, its own or one by setPersistence(). Await the reading before setupWSConnection(); or let only the server fill in defaults.
# Source: src/utils.js, getYDoc(): bindState() without an await; issue 81 of yjs/y-websocket, open since 2021. 0.1.5, for Yjs 14, cannot be installed beside Yjs 13 and was not run. Here the client's number is chosen so that it wins.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error @y/websocket-server@0.1.1 y-leveldb@0.1.2 y-websocket@2.1.0 yjs@13.6.29 ws@8.23.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { WebsocketProvider } from 'y-websocket';
import * as Y from 'yjs';

const versionOf = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
const probe = createServer().listen(0, '127.0.0.1');
await once(probe, 'listening');
const { port } = probe.address();
probe.close();
await once(probe, 'close');
const env = { ...process.env, HOST: '127.0.0.1', PORT: String(port), YPERSISTENCE: './stored' };
const server = spawn(process.execPath, ['node_modules/@y/websocket-server/src/server.js'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
process.on('exit', () => server.kill('SIGKILL'));
process.on('SIGTERM', () => process.exit(3));
await once(server.stdout, 'data');

/** A client that is told "synced"; what it does then is in the same moment. */
async function join(clientID, onSync) {
  const doc = new Y.Doc();
  doc.clientID = clientID;
  const provider = new WebsocketProvider(`ws://127.0.0.1:${port}`, 'plan', doc, { WebSocketPolyfill: WebSocket, disableBc: true });
  await new Promise((resolve) => {
    provider.on('sync', (isSynced) => {
      if (!isSynced) return;
      onSync(doc);
      resolve();
    });
  });
  return { doc, leave: () => provider.destroy() };
}
const owner = (doc) => doc.getMap('settings').get('owner') ?? 'none';
/** What an application does where a document is new. */
function fill(doc, name) {
  if (doc.getMap('settings').has('owner')) return;
  doc.getMap('settings').set('owner', name);
  doc.getText('title').insert(0, 'New plan. ');
}
const ann = await join(1, (doc) => fill(doc, 'ann'));
for (let n = 0; n < 2_000; n += 1) ann.doc.getArray('steps').push([n]);
let seenBeside;
const beside = await join(2, (doc) => (seenBeside = owner(doc)));
await sleep(1_000);
beside.leave();
ann.leave();
await sleep(1_000);

let seenFirst;
const bob = await join(1_000, (doc) => {
  seenFirst = { owner: owner(doc), steps: doc.getArray('steps').length };
  fill(doc, 'bob');
});
await sleep(3_000);
const after = { owner: owner(bob.doc), title: bob.doc.getText('title').toString(), steps: bob.doc.getArray('steps').length };
bob.leave();
await sleep(1_000);
const later = await join(3, () => {});
await sleep(3_000);
const stored = owner(later.doc);
later.leave();

console.log(`@y/websocket-server@${versionOf('@y/websocket-server')}, y-leveldb@${versionOf('y-leveldb')}, y-websocket@${versionOf('y-websocket')}, yjs@${versionOf('yjs')}, node ${process.version}`);
console.log("expected: a client that is synced sees what is stored: ann's plan with 2000 steps");
console.log(`seen:     synced while ann is there: owner ${seenBeside}`);
console.log(`          synced as the first one of the day: owner ${seenFirst.owner}, ${seenFirst.steps} steps; he fills it`);
console.log(`          three seconds later: owner ${after.owner}, title "${after.title}", ${after.steps} steps; owner for good: ${stored}`);
const isReplaced = after.owner === 'bob' && after.title === 'New plan. New plan. ' && after.steps === 2_000 && stored === 'bob';
const holds = seenBeside === 'ann' && seenFirst.owner === 'none' && seenFirst.steps === 0 && isReplaced;
if (!holds) console.log('CHANGED: who is synced has what is stored');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 40 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 40 seconds' >&2; exit 3; }
exit "$code"
