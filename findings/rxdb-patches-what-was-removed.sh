#!/usr/bin/env bash
# rxdb 17.6.0: incrementalPatch() of a document that was removed resolves with the new value, and there is no such document.
#
# What: the incremental functions apply the change to the newest state, whoever wrote it. If that is a removal the change is made to the removed document: it stays removed,
# the promise resolves with a document that has the change, and nothing can be found. patch() is refused with CONFLICT.
# Why it hurts: an order is cancelled in one tab and paid in another: the second tab is told "paid", with the amount, and no query will ever show it. The incremental functions are
# the ones that the documentation recommends where several write.
# Who should care: who updates documents that others may remove. Look at `deleted` of what comes back.
# Source: the package's incremental-write.ts (the last state of the cache, without a look at _deleted) and rx-document.ts; its documentation of incrementalModify and
# incrementalPatch speaks of conflicts, not of removals.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error --legacy-peer-deps rxdb@17.6.0 rxjs@7.8.2 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createRxDatabase } from 'rxdb';
import { getRxStorageMemory } from 'rxdb/plugins/storage-memory';

const { version } = JSON.parse(readFileSync('node_modules/rxdb/package.json', 'utf8'));
console.log(`rxdb@${version}, node ${process.version}`);

const database = await createRxDatabase({ name: 'shop', storage: getRxStorageMemory() });
const schema = {
  version: 0,
  primaryKey: 'id',
  type: 'object',
  properties: { id: { type: 'string', maxLength: 20 }, paid: { type: 'number' } },
};
const { orders } = await database.addCollections({ orders: { schema } });

/** What a payment is told that holds the document while it is removed. */
async function pay(id, change) {
  const order = await orders.insert({ id, paid: 0 });
  await order.remove();
  const told = await change(order).then(
    (made) => `resolved, paid: ${made.paid}, deleted: ${made.deleted}`,
    (error) => error.code,
  );
  return `${told}; found: ${(await orders.findOne(id).exec()) === null ? 'nothing' : 'it'}`;
}

const seen = {
  patch: await pay('a', (order) => order.patch({ paid: 30 })),
  incrementalPatch: await pay('b', (order) => order.incrementalPatch({ paid: 30 })),
  incrementalModify: await pay('c', (order) => order.incrementalModify((data) => ({ ...data, paid: data.paid + 30 }))),
};
await database.close();
console.log('expected: rejected, or the document is there again');
for (const [name, told] of Object.entries(seen)) console.log(`seen:     ${name.padEnd(17)} ${told}`);
const isLost = (told) => told === 'resolved, paid: 30, deleted: true; found: nothing';
const holds = seen.patch === 'CONFLICT; found: nothing' && isLost(seen.incrementalPatch) && isLost(seen.incrementalModify);
if (!holds) console.log('CHANGED: a change of what was removed is refused, or found');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
