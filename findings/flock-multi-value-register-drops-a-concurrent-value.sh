#!/usr/bin/env bash
# @loro-dev/flock 4.5.1: a multi-value register drops what somebody wrote at the same time, where another one had written the same value first and then changed his mind: "concurrent writes remain alongside each other".
#
# What: each value is an entry of its own, under the register's key and the value. Who writes a second time removes the entries that he sees, so his own first value; an entry of the same value that another one
# wrote, unseen, before that moment is the same entry, and is removed with it. Automerge, whose conflicts are told apart by who wrote them, keeps both.
# Why it hurts: what is written in such registers are the values that many choose: "approved", true, a date. ann approves, and bob, who has not seen it, approves and then rejects: both see "rejected" only, no conflict
# is shown to anybody, and ann, who was told nothing, has approved nothing.
# Who should care: votes, reviews, claims in putMvr(). Make each value one's own, by a name or an id in it.
# Source: its readme of putMvr(): "Unlike put, concurrent writes remain alongside each other". scan() shows the entries.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error @loro-dev/flock@4.5.1 @automerge/automerge@3.5.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import * as Automerge from '@automerge/automerge';
import { Flock } from '@loro-dev/flock';

const versionOf = (name) => `${name}@${JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version}`;

/** What both have after ann and bob wrote without having seen each other, and exchanged everything. */
function inFlock(anns, bobs) {
  const [ann, bob] = [new Flock('ann'), new Flock('bob')];
  let time = 1_000;
  for (const [doc, values] of [[ann, anns], [bob, bobs]]) {
    for (const value of values) doc.putMvr(['review'], value, time++);
  }
  const [fromAnn, fromBob] = [ann.exportJson(), bob.exportJson()];
  ann.importJson(fromBob);
  bob.importJson(fromAnn);
  return [ann, bob].map((doc) => JSON.stringify(doc.getMvr(['review']).sort())).join(' and ');
}
function inAutomerge(anns, bobs) {
  let [ann, bob] = [Automerge.init(), Automerge.init()];
  const write = (doc, values) => values.reduce((before, value) => Automerge.change(before, (draft) => (draft.review = value)), doc);
  [ann, bob] = [write(ann, anns), write(bob, bobs)];
  [ann, bob] = [Automerge.merge(ann, Automerge.clone(bob)), Automerge.merge(bob, Automerge.clone(ann))];
  const values = (doc) => Object.values(Automerge.getConflicts(doc, 'review') ?? { only: doc.review });
  return [ann, bob].map((doc) => JSON.stringify(values(doc).sort())).join(' and ');
}
const mind = [['approved'], ['approved', 'rejected']];
const other = [['approved'], ['unsure', 'rejected']];
const seen = { flock: inFlock(...mind), control: inFlock(...other), automerge: inAutomerge(...mind) };

console.log(`${versionOf('@loro-dev/flock')}, ${versionOf('@automerge/automerge')}, node ${process.version}`);
console.log('expected: ann wrote "approved", and bob, who has not seen it, "approved" and then "rejected": both have both');
console.log(`seen:     Flock: ${seen.flock}; where bob's first one was "unsure": ${seen.control}`);
console.log(`          Automerge: ${seen.automerge}`);
const both = '["approved","rejected"] and ["approved","rejected"]';
const holds = seen.flock === '["rejected"] and ["rejected"]' && seen.control === both && seen.automerge === both;
if (!holds) console.log("CHANGED: ann's is kept, or lost in the other cases, too");
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
