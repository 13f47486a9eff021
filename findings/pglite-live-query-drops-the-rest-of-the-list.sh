#!/usr/bin/env bash
# @electric-sql/pglite 0.5.17: where a row is replaced by another one in one transaction, live.incrementalQuery() drops all rows behind it, and goes on without them; live.query() has them.
#
# What: the rows are kept as a chain, each with the key of the one before it. Where one leaves and another one takes its place between the same two look-ups, the chain ends there: the rows behind it are in the table, and not in the result,
# also when something else changes later. The same happens where the key of a row is changed, and with LIMIT where the last row is deleted, so that the next one comes in at its place: of three two are left.
# Why it hurts: it is what a local-first application does with each new item: delete it under the id that it made up, and insert it under the one that the server gave. The list on the screen, or what is computed from it, is shorter from then
# on, without an error; what is stored is right, so that a start shows them again.
# Who should care: who has incrementalQuery(), or its hook useLiveIncrementalQuery(). Make the two steps in two transactions, keep the id, or take live.query().
# Source: dist/live/index.js, incrementalQuery() (the column __after__).
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error @electric-sql/pglite@0.5.17 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import { live } from '@electric-sql/pglite/live';

const { version } = JSON.parse(readFileSync('node_modules/@electric-sql/pglite/package.json', 'utf8'));
const db = await PGlite.create({ extensions: { live } });
const ids = (rows) => rows.map(({ id }) => id).join(' ');

/** The ids that both kinds of live query have after `steps` on a table of five rows, a to e, and those that a query has. */
async function after(query, steps) {
  await db.exec("DROP TABLE IF EXISTS tasks; CREATE TABLE tasks (id text PRIMARY KEY, pos int); INSERT INTO tasks VALUES ('a', 1), ('b', 2), ('c', 3), ('d', 4), ('e', 5)");
  const shown = {};
  const incremental = await db.live.incrementalQuery(query, [], 'id', ({ rows }) => (shown.incremental = ids(rows)));
  const whole = await db.live.query(query, [], ({ rows }) => (shown.whole = ids(rows)));
  const stored = async () => ids((await db.query(query)).rows);
  for (const step of steps) {
    await db.exec(step);
    // Until the other one has seen it, and then some time.
    for (let tries = 0; tries < 200 && shown.whole !== (await stored()); tries += 1) await sleep(20);
    await sleep(500);
  }
  const result = { ...shown, stored: await stored() };
  await incremental.unsubscribe();
  await whole.unsubscribe();
  return result;
}
const ALL = 'SELECT * FROM tasks ORDER BY pos';
const replace = "BEGIN; DELETE FROM tasks WHERE id = 'b'; INSERT INTO tasks VALUES ('B', 2); COMMIT";
const seen = {
  'b is deleted, and B inserted at its place, in two transactions': await after(ALL, ["DELETE FROM tasks WHERE id = 'b'", "INSERT INTO tasks VALUES ('B', 2)"]),
  'the same in one': await after(ALL, [replace]),
  'the same, and f is added at the end later': await after(ALL, [replace, "INSERT INTO tasks VALUES ('f', 6)"]),
  'the id of b is set to B': await after(ALL, ["UPDATE tasks SET id = 'B' WHERE id = 'b'"]),
  'of the first three, c is deleted': await after(`${ALL} LIMIT 3`, ["DELETE FROM tasks WHERE id = 'c'"]),
};
await db.close();

console.log(`@electric-sql/pglite@${version}, node ${process.version}`);
console.log('expected: a live query has what the query has');
const lines = Object.entries(seen).map(([what, { incremental, whole, stored }]) => `${what}: incrementalQuery: ${incremental}; query: ${whole}; stored: ${stored}`);
console.log(`seen:     ${lines.join('\n          ')}`);
const results = Object.values(seen);
const [twoSteps, ...others] = results;
const isLost = ({ incremental, stored }) => incremental.length < stored.length && stored.startsWith(incremental);
const holds = twoSteps.incremental === twoSteps.stored && results.every(({ whole, stored }) => whole === stored) && others.every(isLost);
if (!holds) console.log('CHANGED: incrementalQuery() has all rows');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 90 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 90 seconds' >&2; exit 3; }
exit "$code"
