#!/usr/bin/env bash
# lmdb 3.5.6 with cache: after a synchronous transaction was aborted, reads go on to answer what it wrote.
#
# What: a put goes into the cache of objects at once; an abort, by an error thrown in the callback or by ABORT, undoes it in the database and not in the cache. The
# entry stays until the cache drops it. getEntry tells the aborted version, too; getRange and other processes see what is there.
# Why it hurts: "read, decide, throw" leaves the decision visible, although it was not made: a promise, a balance, an owner that is in no file. A put with ifVersion of
# the version that was read is refused from then on, again and again.
# Who should care: who opens with cache: true and aborts. The manual excludes caching for childTransaction, not here: it says that transactionSync can be aborted.
# Source: the package's readme (transactionSync, and "Caching"); caching.js, put; kriszyp/lmdb-js issue 137 on child transactions.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  lmdb@3.5.6 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { ABORT, open } from 'lmdb';

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
console.log(`lmdb@${version('lmdb')}, node ${process.version}`);

/** What get, getRange and a fresh look at the file tell after two aborted transactions. */
async function look(cache) {
  const path = `data-${cache}`;
  const db = open({ path, cache, useVersions: true });
  await db.put('owner', 'first', 1);
  try {
    db.transactionSync(() => {
      db.put('owner', 'second', 2);
      throw new Error('no: changed my mind');
    });
  } catch {
    // This is how it is aborted.
  }
  const thrown = db.get('owner');
  db.transactionSync(() => {
    db.put('owner', 'third', 3);
    return ABORT;
  });
  const aborted = db.get('owner');
  const { version: read } = db.getEntry('owner');
  const ranged = [...db.getRange()].map(({ value }) => value).join();
  const isSwapped = await db.put('owner', 'fourth', read + 1, read);
  await db.close();
  const file = open({ path, useVersions: true });
  const stored = file.get('owner');
  await file.close();
  return { thrown, aborted, read, ranged, isSwapped, stored };
}

const plain = await look(false);
const cached = await look(true);
const tell = ({ thrown, aborted, read, ranged, isSwapped, stored }) =>
  `get: ${thrown} and ${aborted}, version ${read}; getRange: ${ranged}; put if of that version: ${isSwapped}, then in the file: ${stored}`;
console.log('expected: first (1), with a cache and without, after a callback threw and after one returned ABORT');
console.log(`seen:     without cache: ${tell(plain)}`);
console.log(`          with cache:    ${tell(cached)}`);

const isRight = plain.thrown === 'first' && plain.aborted === 'first' && plain.isSwapped;
const isWrong = cached.thrown === 'second' && cached.aborted === 'third' && !cached.isSwapped && cached.stored === 'first';
if (!(isRight && isWrong)) console.log('CHANGED: an aborted write is not read');
process.exit(isRight && isWrong ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
