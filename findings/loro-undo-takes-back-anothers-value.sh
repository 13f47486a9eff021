#!/usr/bin/env bash
# loro-crdt 1.17.1: undo() takes back what somebody else wrote since, though it "cannot revert changes made by other peers".
#
# What: undoing a set of a map's field, or of an element of a movable list, writes what was there before that set, whatever is there by then: a later value of another peer is replaced, and a field that another
# one removed comes back. Inserts into texts and lists are undone by themselves. Yjs leaves a field alone that another one has set since.
# Why it hurts: one user presses undo to take back a step of his own, and the newer value of another one is gone everywhere, by a write that is the newest there is. Neither of them sees a conflict.
# Who should care: forms, settings and boards on Loro with an UndoManager. Compare the field with what was written last before undo().
# Source: crates/loro-internal/src/undo.rs; the package's types say of UndoManager: "undo operations are local and cannot revert changes made by other peers".
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error loro-crdt@1.17.1 yjs@13.6.27 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { LoroDoc, UndoManager } from 'loro-crdt';
import * as Y from 'yjs';

const versionOf = (name) => `${name}@${JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version}`;

/** What both have after ann wrote, bob wrote after he had that, and ann undid hers. */
function inLoro(begin, anns, bobs) {
  const [ann, bob] = [new LoroDoc(), new LoroDoc()];
  const exchange = () => {
    ann.commit();
    bob.commit();
    bob.import(ann.export({ mode: 'update', from: bob.version() }));
    ann.import(bob.export({ mode: 'update', from: ann.version() }));
  };
  begin(ann);
  exchange();
  const undo = new UndoManager(ann, {});
  for (const [doc, write] of [[ann, anns], [bob, bobs]]) {
    write(doc);
    exchange();
  }
  undo.undo();
  exchange();
  return [ann, bob].map((doc) => JSON.stringify(doc.toJSON()));
}
const set = (value) => (doc) => doc.getMap('task').set('due', value);
const move = (value) => (doc) => doc.getMovableList('tasks').set(0, value);
const seen = {
  'a field of a map': inLoro(set('Monday'), set('Tuesday'), set('Friday')),
  'a field that bob removed': inLoro(set('Monday'), set('Tuesday'), (doc) => doc.getMap('task').delete('due')),
  'an element of a movable list': inLoro((doc) => doc.getMovableList('tasks').insert(0, 'Monday'), move('Tuesday'), move('Friday')),
};

function inYjs() {
  const [ann, bob] = [new Y.Doc(), new Y.Doc()];
  const give = (from, to) => Y.applyUpdate(to, Y.encodeStateAsUpdate(from), 'network');
  ann.getMap('task').set('due', 'Monday');
  const undo = new Y.UndoManager(ann.getMap('task'));
  ann.getMap('task').set('due', 'Tuesday');
  give(ann, bob);
  bob.getMap('task').set('due', 'Friday');
  give(bob, ann);
  undo.undo();
  return JSON.stringify(ann.toJSON());
}
const yjs = inYjs();

console.log(`${versionOf('loro-crdt')}, ${versionOf('yjs')}, node ${process.version}`);
console.log('expected: ann wrote Tuesday for Monday, bob wrote Friday for that, or removed it, and ann undid hers: what bob did stands');
for (const [what, [ann, bob]] of Object.entries(seen)) console.log(`seen:     ${what}: ann has ${ann}, bob has ${bob}`);
console.log(`          a field of a map in Yjs: ${yjs}`);
const holds = Object.values(seen).every((docs) => docs.every((doc) => doc.includes('Monday') && !doc.includes('Friday'))) && yjs.includes('Friday');
if (!holds) console.log("CHANGED: bob's stands, or Yjs takes it back, too");
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
