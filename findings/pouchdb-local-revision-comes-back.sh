#!/usr/bin/env bash
# pouchdb 9.0.0: a _local document that was removed and made again has its old revisions again: a put with one from before is accepted.
#
# What: revisions of _local documents are 0-1, 0-2, 0-3, without a hash, and a removal leaves nothing behind: the next document of that name begins with 0-1. A put or
# remove with a revision that somebody read before the removal meets the same number, and overwrites what it has never seen. An ordinary document says 409.
# Why it hurts: _local documents are where one keeps what is not to be replicated: leases of this device, leaders among tabs, checkpoints. Ann's renewal with the revision
# of her lease that was taken from her goes over Bob's lease; a late remove ends it, and a third one enters.
# Who should care: who guards _local documents with _rev. Write "free" instead of removing, or keep an ordinary document in a database that is not replicated.
# Source: the package's adapters (_putLocal: newRev from the number in the old one, '0-1' without; removal deletes the record), such as pouchdb-adapter-leveldb-core.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  pouchdb-core@9.0.0 pouchdb-adapter-memory@9.0.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import MemoryAdapter from 'pouchdb-adapter-memory';
import PouchDB from 'pouchdb-core';

const { version } = JSON.parse(readFileSync('node_modules/pouchdb-core/package.json', 'utf8'));
console.log(`pouchdb-core@${version}, node ${process.version}`);

PouchDB.plugin(MemoryAdapter);
const database = new PouchDB('leases', { adapter: 'memory' });
const told = (promise) => promise.then(({ rev }) => `accepted, ${rev.slice(0, 3)}`, ({ name }) => name);

/** Ann's lease is taken away and Bob gets one; then Ann renews hers with the revision that she read, or gives it back. */
async function late(id, action) {
  const ann = await database.put({ _id: id, owner: 'ann' });
  await database.remove({ _id: id, _rev: ann.rev });
  const bob = await database.put({ _id: id, owner: 'bob' });
  const answer = await told(action({ _id: id, _rev: ann.rev, owner: 'ann, late' }));
  const { owner } = await database.get(id).catch(() => ({ owner: 'nobody' }));
  return { revisions: `${ann.rev.slice(0, 3)}, then ${bob.rev.slice(0, 3)}`, answer, owner };
}
const results = {};
for (const [kind, prefix] of [['an ordinary document', ''], ['a _local document', '_local/']]) {
  results[kind] = {
    renewed: await late(`${prefix}renewed`, (lease) => database.put(lease)),
    returned: await late(`${prefix}returned`, (lease) => database.remove(lease)),
  };
}
await database.close();

console.log('expected: conflict for who comes with a revision from before the removal; bob has the lease');
for (const [kind, { renewed, returned }] of Object.entries(results)) {
  console.log(`seen:     ${kind} (${renewed.revisions}): ann's put: ${renewed.answer}, owner: ${renewed.owner}; her remove: ${returned.answer}, owner: ${returned.owner}`);
}

const ordinary = Object.values(results['an ordinary document']);
const local = results['a _local document'];
const isGuarded = ordinary.every(({ answer, owner }) => answer === 'conflict' && owner === 'bob');
const holds = isGuarded && local.renewed.owner === 'ann, late' && local.returned.owner === 'nobody';
if (!holds) console.log('CHANGED: revisions of _local documents do not come back');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
