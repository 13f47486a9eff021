#!/usr/bin/env bash
# json-joy 18.28.0: two replicas that load the same stored document write with one session id, and neither takes what the other one then writes into a text.
#
# What: a stored model carries the session id of whoever stored it, and Model.fromBinary() and Model.load() go on with it, unless load() is given another one. Two that load the same bytes
# give the same ids (session, time) to different operations. Each takes the other's text for what it has already, and says nothing. In Yjs, Automerge and Loro who loads a document gets an id of its own.
# Why it hurts: two tabs, or a server and a client, that start from one snapshot exchange everything, and differ for good: each has its own half. A test with one writer, or with
# Model.create() on each side, shows nothing.
# Who should care: who stores snapshots of json-joy and hands them out. fork() after loading, or Model.load(bytes, Model.sid()), gives an id of its own.
# Source: the comments of Model.load ("or the default session ID of the un-serialized model is used") and Model.fork; json-crdt/codec/structural/binary (the clock table begins with the local session).
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  json-joy@18.28.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { Model } from 'json-joy/lib/json-crdt/index.js';

const { version } = JSON.parse(readFileSync('node_modules/json-joy/package.json', 'utf8'));
console.log(`json-joy@${version}, node ${process.version}`);

const first = Model.create({ text: 'stock:' });
first.api.flush();
const stored = first.toBinary();

/** Two replicas from the stored bytes: each writes, and each is sent the other's patch. */
function exchange(open) {
  const [left, right] = [open(), open()];
  left.api.str(['text']).ins(6, ' 5 apples');
  right.api.str(['text']).ins(6, ' 7 pears');
  const [fromLeft, fromRight] = [left.api.flush(), right.api.flush()];
  left.applyPatch(fromRight);
  right.applyPatch(fromLeft);
  const [seenLeft, seenRight] = [left, right].map((model) => JSON.stringify(model.view()));
  return { sameId: left.clock.sid === right.clock.sid, seenLeft, seenRight };
}
const read = exchange(() => Model.fromBinary(stored));
const loaded = exchange(() => Model.load(stored));
const forked = exchange(() => Model.load(stored).fork());
console.log('expected: who loads a stored document writes under an id of its own, and after the exchange both have both entries');
for (const [name, { sameId, seenLeft, seenRight }] of Object.entries({ 'fromBinary()': read, 'load()': loaded, 'load().fork()': forked })) {
  console.log(`seen:     ${name}: ${sameId ? 'one id for both' : 'two ids'}; left ${seenLeft}, right ${seenRight}`);
}

const torn = ({ sameId, seenLeft, seenRight }) => sameId && !seenLeft.includes('pears') && !seenRight.includes('apples');
const holds = torn(read) && torn(loaded) && !forked.sameId && forked.seenLeft === forked.seenRight && forked.seenLeft.includes('pears') && forked.seenLeft.includes('apples');
if (!holds) console.log('CHANGED: replicas that load one document have ids of their own, or fork() does not help');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
