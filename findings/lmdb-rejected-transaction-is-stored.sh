#!/usr/bin/env bash
# lmdb 3.5.6: transaction() is rejected when its callback throws, and what the callback had written is stored; with cache: true what transactionSync() took back is read all the same.
#
# What: transaction() runs its callback within a larger LMDB transaction, beside whatever else was queued, and a throw fails the promise only. childTransaction() has one of its own, and
# transactionSync() aborts; but with cache: true, where there are no child transactions, the cache keeps the value of the aborted one.
# Why it hurts: the debit without the credit, with an error that says that nothing was done, so that it is tried again: debited twice. With the cache the process reads, and counts on from, a
# value that nobody has stored; it is another one for every other process, and after a restart.
# Who should care: who throws within a transaction of lmdb-js to undo it. childTransaction() without a cache; with one, validate before the first put.
# Source: the package's write.js (transaction() hands its callback to transactionAsync(), which commits it with others) and caching.js. Its README says of childTransaction() that it can be rolled back, and calls transaction() ACID.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error lmdb@3.5.6 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { open } from 'lmdb';

const { version } = JSON.parse(readFileSync('node_modules/lmdb/package.json', 'utf8'));

/** Moves 50 from a to b by one way of having a transaction, which is refused between the two. */
async function move(way, options = {}) {
  const path = `${way}${options.cache ? '-cache' : ''}`;
  let db = open({ path, ...options });
  await db.put('a', 100);
  await db.put('b', 0);
  db.get('a');
  const told = await (async () => db[way](() => {
    db.put('a', db.get('a') - 50);
    throw new Error('b is closed');
  }))().then(
    () => 'resolved',
    ({ message }) => `rejected: ${message}`,
  );
  const read = db.get('a');
  await db.put('another', 1);
  const later = db.get('a');
  await db.close();
  db = open({ path, ...options });
  const stored = db.get('a');
  await db.close();
  return { told, a: `${read}, ${later}, ${stored}` };
}
const seen = {
  'transaction()': await move('transaction'),
  'childTransaction()': await move('childTransaction'),
  'transactionSync()': await move('transactionSync'),
  'transactionSync() with cache: true': await move('transactionSync', { cache: true }),
};
console.log(`lmdb@${version}, node ${process.version}`);
console.log('expected: a transaction that is rejected has changed nothing: a is 100, read at once, after a later put, and opened anew');
for (const [way, { told, a }] of Object.entries(seen)) console.log(`seen:     ${`${way}:`.padEnd(36)}${told}; a is ${a}`);
const values = Object.values(seen);
const holds = values.every(({ told }) => told === 'rejected: b is closed') && values.map(({ a }) => a).join('; ') === '50, 50, 50; 100, 100, 100; 100, 100, 100; 50, 50, 100';
if (!holds) console.log('CHANGED: what was rejected is undone, or another way stores it, too');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
