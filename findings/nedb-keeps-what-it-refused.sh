#!/usr/bin/env bash
# @seald-io/nedb 4.1.2: an insert or update that was rejected because the disk was full is read from then on, and the next compaction stores it.
#
# What: the change is made in memory first and then appended to the file. Where the append fails the promise is rejected, and the memory stays as it was changed. The same
# process reads it, counts on from it and refuses the retry of an insert as a duplicate; whatever rewrites the file from memory (compactDatafile, autocompaction) stores it.
# Why it hurts: a payment of 30 that failed is tried again once there is room: 60 are gone. An insert that failed is refused the second time ("it violates the unique
# constraint") and is gone after a restart, unless a compaction came first.
# Who should care: who keeps state in NeDB and goes on after an error. Load the store anew after each rejected write.
# Source: lib/datastore.js (_insertAsync, _updateAsync and _removeAsync: memory, then persistNewStateAsync, without a way back). The full disk is a limit of the file's size
# that prlimit sets for the process and lifts again: write() fails with EFBIG in place of ENOSPC.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm prlimit; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error @seald-io/nedb@4.1.2 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import Datastore from '@seald-io/nedb';

const { version } = JSON.parse(readFileSync('node_modules/@seald-io/nedb/package.json', 'utf8'));

/** How large a file of this process may get. Nothing is printed while it is small: that could be a file as well. */
const limitFiles = (bytes) => execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:unlimited`]);
const balanceIn = async (store) => (await store.findOneAsync({ _id: 'account' }))?.balance;
const told = (promise) => promise.then(
  () => 'made',
  (error) => error.code ?? error.errorType ?? error.message,
);

const open = async (filename) => {
  const store = new Datastore({ filename });
  await store.loadDatabaseAsync();
  return store;
};
const store = await open('accounts.db');
await store.insertAsync({ _id: 'account', balance: 100 });
const pay = () => told(store.updateAsync({ _id: 'account' }, { $inc: { balance: -30 } }));
const book = () => told(store.insertAsync({ _id: 'booking', seat: 4 }));

limitFiles(statSync('accounts.db').size);
const refused = { pay: await pay(), book: await book() };
const read = await balanceIn(store);
limitFiles('unlimited');
const stored = await balanceIn(await open('accounts.db'));
const again = { pay: await pay(), book: await book() };
await store.compactDatafileAsync();
const reopened = await open('accounts.db');
const [left, seat] = [await balanceIn(reopened), (await reopened.findOneAsync({ _id: 'booking' }))?.seat];

console.log(`@seald-io/nedb@${version}, node ${process.version}`);
console.log('expected: a payment of 30 from 100 and a booking, refused on a full disk and made at the second try: 70 left, both made');
console.log(`seen:     payment: ${refused.pay}; read after it: ${read}, in the file: ${stored}; second try: ${again.pay}; left: ${left}`);
console.log(`          booking: ${refused.book}; second try: ${again.book}; after a compaction and a restart: ${seat === undefined ? 'absent' : 'there'}`);

const isRefused = refused.pay === 'EFBIG' && refused.book === 'EFBIG' && stored === 100;
const holds = isRefused && read === 70 && again.pay === 'made' && left === 40 && again.book === 'uniqueViolated' && seat === 4;
if (!holds) console.log('CHANGED: what was refused is not read');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
