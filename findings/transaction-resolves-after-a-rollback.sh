#!/usr/bin/env bash
# knex 3.3.0, Drizzle 0.45.4, Sequelize 6.37.8, pg-promise 12.7.1, TypeORM 1.1.1: a transaction that PostgreSQL rolled back resolves as if it were committed.
#
# What: a statement that fails makes PostgreSQL give up the whole transaction, also where the program catches the error. COMMIT is then no error: it is answered with
# ROLLBACK, and these libraries do not read the answer. The promise of transaction() resolves with the callback's value, and nothing of it is stored.
# Why it hurts: "insert the order; note the mail as sent, never mind if it is noted already": the second insert fails on its unique key, that is caught, the customer is told
# that the order is accepted, and there is no order. As long as a statement follows it is refused and all is told; only the last one is silent.
# Who should care: who catches an error in a transaction, be it for a duplicate. ON CONFLICT DO NOTHING, or a savepoint around the statement. Kysely and postgres.js reject.
# Source: each library's transaction code sends COMMIT and looks for an error only; kysely's checks the command of the answer. The server is PGlite, PostgreSQL itself
# compiled for Node, behind its socket.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error --legacy-peer-deps \
  @electric-sql/pglite@0.5.17 @electric-sql/pglite-socket@0.2.17 pg@8.23.1 knex@3.3.0 drizzle-orm@0.45.4 sequelize@6.37.8 \
  pg-promise@12.7.1 typeorm@1.1.1 reflect-metadata@0.2.2 kysely@0.28.19 postgres@3.4.9 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import 'reflect-metadata';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { drizzle } from 'drizzle-orm/node-postgres';
import knex from 'knex';
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import pgPromise from 'pg-promise';
import postgres from 'postgres';
import { Sequelize } from 'sequelize';
import { DataSource } from 'typeorm';

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
const SILENT = ['knex', 'drizzle-orm', 'sequelize', 'pg-promise', 'typeorm'];
const TELLING = ['kysely', 'postgres'];

const database = await PGlite.create();
const server = new PGLiteSocketServer({ db: database, host: '127.0.0.1', port: 0, maxConnections: 10 });
const listening = new Promise((resolve) => server.addEventListener('listening', ({ detail }) => resolve(detail)));
await server.start();
const { port } = await listening;
const connectionString = `postgres://postgres:any@127.0.0.1:${port}/postgres?sslmode=disable`;
await database.exec(`CREATE TABLE orders (id text PRIMARY KEY); CREATE TABLE mails (id text PRIMARY KEY); INSERT INTO mails VALUES ('welcome')`);

/** The callback of each transaction: an order, and a note of the mail, which may be there already. */
async function order(name, query) {
  await query(`INSERT INTO orders VALUES ('${name}')`);
  await query(`INSERT INTO mails VALUES ('welcome')`).then(
    () => {},
    () => {},
  );
  return 'accepted';
}

const transactions = {
  async knex(name) {
    const db = knex({ client: 'pg', connection: connectionString });
    return db.transaction((trx) => order(name, (text) => trx.raw(text))).finally(() => db.destroy());
  },
  async 'drizzle-orm'(name) {
    const pool = new pg.Pool({ connectionString });
    return drizzle(pool)
      .transaction((tx) => order(name, (text) => tx.execute(text)))
      .finally(() => pool.end());
  },
  async sequelize(name) {
    const db = new Sequelize(connectionString, { logging: false });
    return db.transaction((transaction) => order(name, (text) => db.query(text, { transaction }))).finally(() => db.close());
  },
  async 'pg-promise'(name) {
    const init = pgPromise();
    return init(connectionString)
      .tx((tx) => order(name, (text) => tx.none(text)))
      .finally(() => init.end());
  },
  async typeorm(name) {
    const db = await new DataSource({ type: 'postgres', url: connectionString }).initialize();
    return db.transaction((manager) => order(name, (text) => manager.query(text))).finally(() => db.destroy());
  },
  async kysely(name) {
    const db = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString }) }) });
    return db
      .transaction()
      .execute((trx) => order(name, (text) => sql.raw(text).execute(trx)))
      .finally(() => db.destroy());
  },
  async postgres(name) {
    const db = postgres(connectionString);
    return db.begin((tx) => order(name, (text) => tx.unsafe(text))).finally(() => db.end());
  },
};

console.log('expected: transaction() is rejected, or the order is stored');
const answers = {};
for (const [name, transaction] of Object.entries(transactions)) {
  const told = await transaction(name).then(
    (value) => `resolved: ${value}`,
    () => 'rejected',
  );
  const { rows } = await database.query('SELECT id FROM orders WHERE id = $1', [name]);
  answers[name] = `${told}; orders stored: ${rows.length}`;
  console.log(`seen:     ${`${name}@${version(name)}`.padEnd(20)} ${answers[name]}`);
}
await server.stop();

const isSilent = SILENT.every((name) => answers[name] === 'resolved: accepted; orders stored: 0');
const isTold = TELLING.every((name) => answers[name] === 'rejected; orders stored: 0');
if (!(isSilent && isTold)) console.log('CHANGED: a transaction that was rolled back is told, or one that told it is silent');
process.exit(isSilent && isTold ? 0 : 1);
JS
code=0
timeout 180 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 180 seconds' >&2; exit 3; }
exit "$code"
