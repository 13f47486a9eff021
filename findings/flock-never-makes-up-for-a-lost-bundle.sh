#!/usr/bin/env bash
# @loro-dev/flock 4.5.1: what was in a bundle that got lost is never sent again: after the next one the receiver's version says that it has all, and replicas differ for good.
#
# What: the version of a replica is the newest time that it has seen of each peer. A bundle "since a version" that comes after a lost one, or before one that is late, moves it over the gap, and nobody notices. With
# Yjs, and Loro's documents, the later update waits for the earlier one, and the state vector, or version, still asks for it.
# Why it hurts: it is the loop of each sync: send the changes since the last send, and at times, or on reconnection, what is missing by the version of the other one. One message that was dropped, or a crash between
# receiving and storing, and a key is old, or absent, there, while each exchange that follows sends nothing.
# Who should care: who syncs Flock by exportJson(version). Begin each bundle at the version that the receiver has confirmed, over a channel that loses nothing, or export the whole from time to time.
# Source: its readme of exportJson(from): "Provide a VersionVector from a remote replica to stream only novel changes"; no word of an order. Entries have times, and no sequence numbers.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error @loro-dev/flock@4.5.1 loro-crdt@1.17.1 yjs@13.6.27 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { Flock } from '@loro-dev/flock';
import { LoroDoc } from 'loro-crdt';
import * as Y from 'yjs';

const versionOf = (name) => `${name}@${JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version}`;

/** What bob has after ann's first update was lost and the second one arrived; and after he asked for what he lacks, by his version. */
function sync({ ann, bob, write, version, changes, take, read }) {
  const start = version(ann);
  write(ann, 'price', 10);
  changes(ann, start); // The update with the price: sent, and lost.
  const before = version(ann);
  write(ann, 'stock', 3);
  take(bob, changes(ann, before));
  const after = read(bob);
  for (let round = 0; round < 3; round++) take(bob, changes(ann, version(bob)));
  return { after, synced: read(bob), anns: read(ann) };
}
const sorted = (object) => JSON.stringify(Object.fromEntries(Object.entries(object).sort()));

const flocks = { ann: new Flock('ann'), bob: new Flock('bob') };
const flock = sync({
  ...flocks,
  write: (doc, key, value) => doc.put([key], value),
  version: (doc) => doc.version(),
  changes: (doc, from) => doc.exportJson(from),
  take: (doc, bundle) => doc.importJson(JSON.parse(JSON.stringify(bundle))),
  read: (doc) => sorted(Object.fromEntries(doc.scan().map(({ key, value }) => [key[0], value]))),
});
const whole = new Flock('bob');
whole.importJson(flocks.ann.exportJson());
const agree = Flock.checkConsistency(flocks.ann, flocks.bob);
const loro = sync({
  ann: new LoroDoc(),
  bob: new LoroDoc(),
  write: (doc, key, value) => {
    doc.getMap('item').set(key, value);
    doc.commit();
  },
  version: (doc) => doc.version(),
  changes: (doc, from) => doc.export({ mode: 'update', from }),
  take: (doc, update) => doc.import(update),
  read: (doc) => sorted(doc.getMap('item').toJSON()),
});
const yjs = sync({
  ann: new Y.Doc(),
  bob: new Y.Doc(),
  write: (doc, key, value) => doc.getMap('item').set(key, value),
  version: (doc) => Y.encodeStateVector(doc),
  changes: (doc, from) => Y.encodeStateAsUpdate(doc, from),
  take: (doc, update) => Y.applyUpdate(doc, update),
  read: (doc) => sorted(doc.getMap('item').toJSON()),
});

console.log(`${versionOf('@loro-dev/flock')}, ${versionOf('loro-crdt')}, ${versionOf('yjs')}, node ${process.version}`);
console.log('expected: ann wrote a price, in an update that was lost, and then a stock, which bob has; once he asked for what he lacks, he has both');
const say = ({ after, synced, anns }) => `after the second one bob has ${after}, after three exchanges by version ${synced}, ann ${anns}`;
console.log(`seen:     Flock: ${say(flock)}; checkConsistency(): ${agree}`);
console.log(`          Loro:  ${say(loro)}`);
console.log(`          Yjs:   ${say(yjs)}`);
const both = '{"price":10,"stock":3}';
const holds = flock.synced === '{"stock":3}' && flock.anns === both && !agree && loro.synced === both && yjs.synced === both && Flock.checkConsistency(flocks.ann, whole);
if (!holds) console.log('CHANGED: Flock makes up for it, or the others do not');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
