#!/usr/bin/env bash
# minimongo 7.1.1: a document that is removed and stored again offline, under its id, is removed from the server by the upload, and stays on the client as if it were uploaded.
#
# What: a client keeps what it has to upload in two lists, upserts and removals. An upsert does not take the removal of its id away, and upload() sends the upserts first and the removals last.
# Afterwards both lists are empty.
# Why it hurts: the upload is acknowledged; the server and all other clients have no document, the one that wrote it shows it, and nothing is left to send. A form that is cleared and filled in again,
# or an undo of a removal, is how it comes about.
# Who should care: who works offline with HybridDb, or uploads the pending upserts and removals of a local database in that order. Give what is stored again a new id.
# Source: src/HybridDb.ts (upload: uploadUpserts, then uploadRemoves), src/MemoryDb.ts (upsert leaves the removals as they are).
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error --legacy-peer-deps \
  minimongo@7.1.1 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import hybridModule from 'minimongo/lib/HybridDb.js';
import memoryModule from 'minimongo/lib/MemoryDb.js';

const { version } = JSON.parse(readFileSync('node_modules/minimongo/package.json', 'utf8'));
console.log(`minimongo@${version}, node ${process.version}`);
const [HybridDb, MemoryDb] = [hybridModule, memoryModule].map((module) => module.default ?? module);

const answer = (call) => new Promise((resolve, reject) => { call(resolve, reject); });
const show = async (database) => JSON.stringify(await answer((resolve, reject) => database.forms.find({}).fetch(resolve, reject)));

/** What a client and the server have after a document was uploaded, the steps were made offline, and all was uploaded. */
async function upload(...steps) {
  const [client, server] = [new MemoryDb(), new MemoryDb()];
  for (const database of [client, server]) await answer((resolve, reject) => database.addCollection('forms', resolve, reject));
  const hybrid = new HybridDb(client, server);
  await answer((resolve, reject) => hybrid.addCollection('forms', {}, resolve, reject));
  const sent = () => answer((resolve, reject) => hybrid.upload(resolve, reject));
  await answer((resolve, reject) => hybrid.forms.upsert({ _id: 'one', text: 'first' }, resolve, reject));
  await sent();
  for (const step of steps) await answer((resolve, reject) => step(hybrid.forms, resolve, reject));
  await sent();
  const upserts = await answer((resolve, reject) => client.forms.pendingUpserts(resolve, reject));
  const removes = await answer((resolve, reject) => client.forms.pendingRemoves(resolve, reject));
  return { client: await show(client), server: await show(server), pending: upserts.length + removes.length };
}
const remove = (forms, resolve, reject) => forms.remove('one', resolve, reject);
const store = (forms, resolve, reject) => forms.upsert({ _id: 'one', text: 'second' }, resolve, reject);
const changed = await upload(store);
const again = await upload(remove, store);

console.log('expected: after the upload the client and the server have the document as it was stored last');
for (const [name, { client, server, pending }] of Object.entries({ 'stored over it': changed, 'removed and stored': again })) {
  console.log(`seen:     ${name}: client ${client}, server ${server}, ${pending} left to upload`);
}

const stored = '[{"_id":"one","text":"second"}]';
const holds = changed.client === stored && changed.server === stored && again.client === stored && again.server === '[]' && again.pending === 0;
if (!holds) console.log('CHANGED: what was stored again is uploaded');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
