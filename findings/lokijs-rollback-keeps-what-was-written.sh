#!/usr/bin/env bash
# LokiJS 1.5.12: in a collection with `transactional: true` rollback() after startTransaction() takes nothing back, neither an update nor an insert nor a removal, and says nothing.
#
# What: each write of such a collection begins a transaction of its own and commits it. There is one place for what was there before, so the first write within a transaction overwrites it,
# and its commit empties it: rollback() finds nothing to bring back, and returns.
# Why it hurts: the first half of a transfer that failed stays, and the next save stores it. The option costs a copy of the whole collection at each write, so it looks as if it did something.
# Who should care: who relies on transactions of LokiJS, by itself or below another library. Copy what will be changed, and write it back.
# Source: src/lokijs.js (Collection.startTransaction, commit and rollback; insertOne, updateOne and remove call the first two).
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  lokijs@1.5.12 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import Loki from 'lokijs';

const { version } = JSON.parse(readFileSync('node_modules/lokijs/package.json', 'utf8'));
console.log(`lokijs@${version}, node ${process.version}`);

/** What a collection holds after the change was rolled back, in memory and once it was saved. */
function rolledBack(change) {
  const database = new Loki('accounts', { adapter: new Loki.LokiMemoryAdapter() });
  const accounts = database.addCollection('accounts', { transactional: true, clone: true });
  accounts.insert([{ owner: 'ann', balance: 100 }, { owner: 'bob', balance: 0 }]);
  accounts.startTransaction();
  change(accounts);
  accounts.rollback();
  const show = (collection) => collection.find().map(({ owner, balance }) => `${owner} ${balance}`).join(', ');
  const saved = new Loki('copy');
  saved.loadJSON(database.serialize());
  return [show(accounts), show(saved.getCollection('accounts'))];
}
const results = {
  nothing: rolledBack(() => {}),
  update: rolledBack((accounts) => accounts.update({ ...accounts.findOne({ owner: 'ann' }), balance: 60 })),
  insert: rolledBack((accounts) => accounts.insert({ owner: 'eve', balance: 40 })),
  remove: rolledBack((accounts) => accounts.remove(accounts.findOne({ owner: 'bob' }))),
};
console.log('expected: after rollback() each of them is "ann 100, bob 0"');
for (const [name, [held, saved]] of Object.entries(results)) console.log(`seen:     ${name}: "${held}", and saved "${saved}"`);

const wanted = { nothing: 'ann 100, bob 0', update: 'ann 60, bob 0', insert: 'ann 100, bob 0, eve 40', remove: 'ann 100' };
const holds = Object.entries(results).every(([name, texts]) => texts.every((text) => text === wanted[name]));
if (!holds) console.log('CHANGED: rollback() takes back what was written');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
