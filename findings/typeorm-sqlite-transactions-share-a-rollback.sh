#!/usr/bin/env bash
# TypeORM 1.1.1 on SQLite: the rollback of one transaction takes back what others have written meanwhile, transactions that resolved included.
#
# What: a DataSource on SQLite has one connection and one query runner, for everybody. What is saved while a transaction waits for something is written inside of it. A second
# transaction() becomes a savepoint in the first one: it resolves when that is released, and is stored only if the other one commits.
# Why it hurts: two requests of a server are enough. The first one's payment is refused after a second, it rolls back, and the second one's order, for which it was told 201, is gone.
# No error, no log: each of the two did what it should.
# Who should care: who has a server, or tests that run side by side, on TypeORM and SQLite. Keep a queue around all that writes; Drizzle refuses the write beside a transaction.
# Source: the package's BetterSqlite3Driver (createQueryRunner gives out the one that it has) and AbstractSqliteQueryRunner (a depth above 0 is a SAVEPOINT). SQLite here is
# libsql, which has the interface of better-sqlite3 and comes as a built package.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error --legacy-peer-deps typeorm@1.1.1 reflect-metadata@0.2.2 libsql@0.5.29 drizzle-orm@0.45.4 @libsql/client@0.18.0 \
  >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import 'reflect-metadata';
import { drizzle } from 'drizzle-orm/libsql';
import libsql from 'libsql';
import { DataSource } from 'typeorm';

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
const insert = (id) => `INSERT INTO orders VALUES ('${id}')`;
const told = (promise) => promise.then(
  () => 'resolved',
  () => 'rejected',
);

/** What is told to a write, and to a transaction, beside a transaction that rolls back, and what is stored at the end. */
async function beside({ run, transaction, all }) {
  const answers = [];
  await run('CREATE TABLE orders (id text PRIMARY KEY)');
  for (const other of [() => run(insert('write')), () => transaction((query) => query(insert('transaction')))]) {
    const refused = told(
      transaction(async (query) => {
        await query(insert('refused'));
        await sleep(400);
        throw new Error('the payment was refused');
      }),
    );
    await sleep(100);
    answers.push(await told(other()));
    if ((await refused) !== 'rejected') throw new Error('the transaction was not rolled back');
  }
  const stored = (await all('SELECT id FROM orders')).map(({ id }) => id);
  return `write: ${answers[0]}, transaction: ${answers[1]}; stored: ${stored.join(', ') || 'neither'}`;
}

const source = await new DataSource({ type: 'better-sqlite3', driver: libsql, database: 'typeorm.db' }).initialize();
const typeorm = await beside({
  run: (text) => source.query(text),
  transaction: (body) => source.transaction((manager) => body((text) => manager.query(text))),
  all: (text) => source.query(text),
});
const db = drizzle('file:drizzle.db');
const contrast = await beside({
  run: (text) => db.run(text),
  transaction: (body) => db.transaction((tx) => body((text) => tx.run(text))),
  all: (text) => db.all(text),
});
console.log(`node ${process.version}`);
console.log('expected: a write, or a transaction, that resolved beside one that is rolled back is stored');
console.log(`seen:     typeorm@${version('typeorm')}       ${typeorm}`);
console.log(`          drizzle-orm@${version('drizzle-orm')}  ${contrast}`);
const holds = typeorm === 'write: resolved, transaction: resolved; stored: neither' && contrast === 'write: rejected, transaction: rejected; stored: neither';
if (!holds) console.log('CHANGED: what resolved is stored, or Drizzle does not refuse it');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 60 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 60 seconds' >&2; exit 3; }
exit "$code"
