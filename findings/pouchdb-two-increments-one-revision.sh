#!/usr/bin/env bash
# PouchDB 9.0.0: two replicas count from 0 to 1, each for itself; after the sync the count is 1, and there is no conflict.
#
# What: a revision's name is the hash of the document and of the revision before it. Two replicas that make the same document out of the same revision make the same
# revision: nothing to replicate, nothing in _conflicts. Only changes that differ in some field are found out.
# Why it hurts: "write offline, look at _conflicts, merge" is how it is used, and it is blind to what is changed alike: a count, a stock that goes down by one, a flag
# "claimed" that two workers set and both then hold.
# Who should care: who replicates documents that mean an event. A field of the writer's own (a random id, a device) makes the conflict visible.
# Source: the option deterministic_revs (true by default) in the manual; apache/pouchdb issues 4642 and 2451. CouchDB names its revisions likewise.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  pouchdb-core@9.0.0 pouchdb-adapter-memory@9.0.0 pouchdb-replication@9.0.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import PouchDB from 'pouchdb-core';
import memory from 'pouchdb-adapter-memory';
import replication from 'pouchdb-replication';

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
console.log(`pouchdb-core@${version('pouchdb-core')}, node ${process.version}`);
PouchDB.plugin(memory).plugin(replication);

/** Two replicas change a document each for itself and then sync; what both hold in the end. */
async function changeOnBoth(id, first, change) {
  const replicas = ['one', 'two'].map((name) => new PouchDB(`${id}-${name}`, { adapter: 'memory' }));
  await replicas[0].put({ _id: id, ...first });
  await replicas[0].replicate.to(replicas[1]);
  const answers = [];
  for (const [place, replica] of replicas.entries()) answers.push(await replica.put(change(await replica.get(id), place)));
  await replicas[0].sync(replicas[1]);
  const held = await Promise.all(replicas.map((replica) => replica.get(id, { conflicts: true })));
  return { accepted: answers.filter(({ ok }) => ok).length, held, conflicts: held.map(({ _conflicts = [] }) => _conflicts.length) };
}

const visits = await changeOnBoth('visits', { count: 0 }, (document) => ({ ...document, count: document.count + 1 }));
const job = await changeOnBoth('job', { isClaimed: false }, (document) => ({ ...document, isClaimed: true }));
const named = await changeOnBoth('named', { count: 0 }, (document, place) => ({ ...document, count: document.count + 1, by: place }));
console.log('expected: two accepted changes of one revision are a conflict on both replicas: _conflicts names the one that lost');
console.log(
  `seen:     count: ${visits.accepted} increments accepted, count ${visits.held.map(({ count }) => count)}, conflicts ${visits.conflicts};`,
  `claim: ${job.accepted} accepted, conflicts ${job.conflicts}; with the writer's name in it: conflicts ${named.conflicts}`,
);

const isBlind = [visits, job].every(({ accepted, conflicts }) => accepted === 2 && conflicts.every((count) => count === 0));
const holds = isBlind && visits.held.every(({ count }) => count === 1) && named.conflicts.every((count) => count === 1);
if (!holds) console.log('CHANGED: equal changes are a conflict, too, or unequal ones are none');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
