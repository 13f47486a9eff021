#!/usr/bin/env bash
# libsql 0.5.29: in libsql/promise a transaction whose function fails is reported as failed, and was committed.
#
# What: transaction(fn) of the promise interface does not await fn: BEGIN, fn up to its first await, COMMIT, and then the promise of fn is
# handed back. All statements of this interface are promises, so fn cannot be anything but async. What it throws later rejects the call
# as if it had been rolled back; what it writes later is outside of any transaction.
# Why it hurts: debit, check, credit; the check throws, the caller sees the error and tries again: the debit stands, each time. The
# interface says of itself that it follows better-sqlite3, which refuses a function that returns a promise.
# Who should care: who uses libsql/promise on a local file. BEGIN and COMMIT by hand, or the synchronous interface.
# Source: promise.js (transaction: the result of fn is not awaited before COMMIT).
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  libsql@0.5.29 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import Synchronous from 'libsql';
import Database from 'libsql/promise';

const { version } = JSON.parse(readFileSync('node_modules/libsql/package.json', 'utf8'));
console.log(`libsql@${version}, node ${process.version}`);

const SCHEMA = "CREATE TABLE account (name TEXT PRIMARY KEY, balance INTEGER); INSERT INTO account VALUES ('from', 100), ('to', 0)";
const DEBIT = "UPDATE account SET balance = balance - 10 WHERE name = 'from'";
const BALANCES = 'SELECT group_concat(balance) AS balances FROM account';

const synchronous = new Synchronous('synchronous.db');
synchronous.exec(SCHEMA);
let refusal = 'resolved';
try {
  synchronous.transaction(() => {
    synchronous.prepare(DEBIT).run();
    throw new Error('not allowed');
  })();
} catch (error) {
  refusal = error.message;
}
const rolledBack = synchronous.prepare(BALANCES).get().balances;

// Where fn fails before COMMIT is done, nobody is there yet to take its error.
process.on('unhandledRejection', () => {});
const db = new Database('promise.db');
await db.exec(SCHEMA);
const transfer = db.transaction(async () => {
  await (await db.prepare(DEBIT)).run();
  await sleep(500); // a look at something else
  throw new Error('not allowed');
});
const outcome = await transfer().then(() => 'resolved', (error) => `rejected: ${error.message}`);
const { balances } = await (await db.prepare(BALANCES)).get();

console.log('expected: the transaction is rejected and rolled back: balances 100,0');
console.log(`seen:     libsql: ${refusal}, balances ${rolledBack}; libsql/promise: ${outcome}, balances ${balances}`);

const holds = rolledBack === '100,0' && outcome === 'rejected: not allowed' && balances === '90,0';
if (!holds) console.log('CHANGED: what is rejected is rolled back');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
