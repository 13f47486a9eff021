#!/usr/bin/env bash
# LanceDB 0.37.1: two upserts of one new key at the same time both insert it: the key is there twice, both are told of one inserted row, and later upserts change both.
#
# What: mergeInsert("id") looks for the key in the version that it read, and adds a row where it found none. The second commit is not a conflict: appending rows never is, so neither
# is refused nor tried again. An update of a row that is there is one: that is tried again, and nothing is lost.
# Why it hurts: the key is what one took for unique. Two workers that store one document, or one handler that is called twice, leave two of it: counts are wrong, searches answer it
# twice, and nothing looks for it. Those who wrote were told "1 inserted, 1 attempt".
# Who should care: who keeps states, chunks or embeddings by id with more than one writer, or with two calls under way in one process. Queue the upserts of a table.
# Source: Lance's conflict rules (an append goes with an append); numAttempts in the answer says that nothing was tried again.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error --legacy-peer-deps @lancedb/lancedb@0.37.1 apache-arrow@18.1.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { connect } from '@lancedb/lancedb';

const { version } = JSON.parse(readFileSync('node_modules/@lancedb/lancedb/package.json', 'utf8'));
const open = async () => (await connect('store')).openTable('stock');
await (await connect('store')).createTable('stock', [{ id: 'there', n: 0 }]);
const [first, second] = [await open(), await open()];

const upsert = (table, id, n) => table.mergeInsert('id').whenMatchedUpdateAll().whenNotMatchedInsertAll().execute([{ id, n }]);
const rowsOf = async (id) => (await (await open()).query().where(`id = '${id}'`).toArray()).map(({ n }) => n);

const answers = await Promise.all([upsert(first, 'new', 1), upsert(second, 'new', 2)]);
const told = answers.map(({ numInsertedRows }) => numInsertedRows).join(' and ');
const fresh = await rowsOf('new');
await upsert(await open(), 'new', 3);
const later = await rowsOf('new');
// What was there already is changed by one after the other.
await Promise.all([first, second].map((table) => table.update({ where: "id = 'there'", valuesSql: { n: 'n + 1' } })));
const there = await rowsOf('there');

console.log(`@lancedb/lancedb@${version}, node ${process.version}`);
console.log('expected: two upserts of one key leave one row, or one of them is refused');
console.log(`seen:     of a new key: ${told} rows inserted, ${fresh.length} rows with that key; after one more upsert: ${later.length} rows;`);
console.log(`          two increments of a row that was there: ${there.length} row, ${there[0]}`);
const holds = fresh.length === 2 && later.length === 2 && there.join() === '2';
if (!holds) console.log('CHANGED: a new key is there once, or increments are lost');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 60 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 60 seconds' >&2; exit 3; }
exit "$code"
