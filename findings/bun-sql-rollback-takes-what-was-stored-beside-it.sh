#!/usr/bin/env bash
# Bun 1.4.5: on SQLite a rollback in Bun.sql takes back what resolved beside it; in bun:sqlite a transaction of an async function is stored though it is rejected.
#
# What: Bun.sql has one connection to an SQLite database, and begin() has its transaction on it: whatever else is asked meanwhile is within. Two begin() wait for each other. In bun:sqlite transaction() commits when the
# function returns, and an async function returns a promise at its first await: what it wrote until then is stored, and what it writes later is outside.
# Why it hurts: an INSERT that resolved, of another request, is gone when a transaction that has nothing to do with it fails (on PostgreSQL begin() has a connection of its own). The other way round half of a transfer is stored,
# with an error that says that it was not made. better-sqlite3, whose API bun:sqlite follows, refuses functions that return promises.
# Who should care: servers in Bun with SQLite. Let all writes go through begin(); await nothing within transaction().
# Source: src/js/internal/sql/sqlite.ts (one connection, which is given to all) and src/js/bun/sqlite.ts (transaction) of Bun.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
command -v npm >/dev/null || { echo 'needs npm' >&2; exit 3; }
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error @oven/bun-linux-x64-baseline@1.4.5 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }
bun=node_modules/@oven/bun-linux-x64-baseline/bin/bun

cat >run.ts <<'TS'
import { SQL } from 'bun';
import { Database } from 'bun:sqlite';

const told = (promise: Promise<unknown>) =>
  promise.then(
    () => 'resolved',
    (error) => `rejected (${error.message})`,
  );

/** A payment fails while another request stores an order: what both are told, and what is stored. */
async function beside() {
  const sql = new SQL('sqlite://beside.sqlite');
  await sql`CREATE TABLE orders (what TEXT)`;
  const payment = told(
    sql.begin(async (tx) => {
      await tx`INSERT INTO orders VALUES ('to be paid')`;
      await Bun.sleep(300);
      throw new Error('the card was refused');
    }),
  );
  await Bun.sleep(100);
  const order = await told(sql`INSERT INTO orders VALUES ('another')`.execute());
  const read = (await sql`SELECT what FROM orders`).map(({ what }: { what: string }) => what);
  const failed = await payment;
  const stored = (await sql`SELECT what FROM orders`).map(({ what }: { what: string }) => what);
  return { order, read, failed, stored };
}

/** Moves 50 from a to b in an async function that throws after an await. */
async function move() {
  const db = new Database('move.sqlite');
  db.run('CREATE TABLE accounts (name TEXT, balance INTEGER)');
  db.run("INSERT INTO accounts VALUES ('a', 100), ('b', 0)");
  const transfer = db.transaction(async () => {
    db.run("UPDATE accounts SET balance = balance - 50 WHERE name = 'a'");
    await Bun.sleep(10);
    throw new Error('b is closed');
  });
  const answer = await told((async () => transfer())());
  return { answer, a: db.query("SELECT balance FROM accounts WHERE name = 'a'").get().balance };
}

const { order, read, failed, stored } = await beside();
const { answer, a } = await move();
console.log(`Bun ${Bun.version}`);
console.log('expected: an INSERT that resolved is stored, whatever becomes of a transaction beside it; a transaction that is rejected has stored nothing');
console.log(`seen:     Bun.sql: the INSERT ${order}, and ${JSON.stringify(read)} was read; the transaction ${failed}; stored: ${JSON.stringify(stored)}`);
console.log(`          bun:sqlite: the transaction ${answer}; a has ${a} of its 100`);
const holds = order === 'resolved' && failed.startsWith('rejected') && stored.length === 0 && answer.startsWith('rejected') && a === 50;
if (!holds) console.log('CHANGED: what resolved is stored, or what was rejected is not');
process.exit(holds ? 0 : 1);
TS
code=0
timeout 60 "$bun" run run.ts || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 60 seconds' >&2; exit 3; }
exit "$code"
