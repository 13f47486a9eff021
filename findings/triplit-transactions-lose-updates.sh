#!/usr/bin/env bash
# @triplit/db 1.1.10: of transactions that read and write the same entity at the same moment all are accepted, and one is left: ten increments make one, by transact() and by an update() with a callback; and ten claim one name.
#
# What: a transaction reads what is stored, and writes when it ends. Nothing is locked, what was read is not looked at again, and none is refused or repeated, though all are in one process, on one database.
# Why it hurts: `update('accounts', id, (account) => { account.balance += 1; })` looks like a change that is made on what is there, and transact() like a transaction: each of them resolves, and the balance, the stock, the number of
# votes lacks all but one. Look and insert lets everybody in. On a server each request is such a caller.
# Who should care: who has two callers at once in one DB of Triplit. Put the calls in a row (a mutex around transact()); for counts let each be an entity of its own.
# Source: dist/db.js, transact(), and dist/db-transaction.js. The store is the default one, in memory.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error @triplit/db@1.1.10 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { DB } from '@triplit/db';

const { version } = JSON.parse(readFileSync('node_modules/@triplit/db/package.json', 'utf8'));
const db = new DB();
const ten = Array.from({ length: 10 }, (_, index) => index);

const byTransact = (id) =>
  db.transact(async (tx) => {
    const { balance } = await tx.fetchById('accounts', id);
    await tx.update('accounts', id, { balance: balance + 1 });
  });
const byUpdate = (id) =>
  db.update('accounts', id, (account) => {
    account.balance += 1;
  });
const claim = (index) =>
  db.transact(async (tx) => {
    const taken = await tx.fetch({ collectionName: 'users', where: [['name', '=', 'ann']] });
    if (taken.length > 0) throw new Error('taken');
    await tx.insert('users', { id: `user-${index}`, name: 'ann' });
  });
/** How many calls were accepted, and what the balance is, when it was 0. */
async function add(id, calls) {
  await db.insert('accounts', { id, balance: 0 });
  const outcomes = await calls(id);
  const { balance } = await db.fetchById('accounts', id);
  return { accepted: outcomes.filter(({ status }) => status === 'fulfilled').length, balance };
}
const together = (call) => (id) => Promise.allSettled(ten.map(() => call(id)));
async function inARow(id) {
  const outcomes = [];
  for (const _ of ten) outcomes.push(...(await Promise.allSettled([byTransact(id)])));
  return outcomes;
}
const row = await add('in a row', inARow);
const transact = await add('transact', together(byTransact));
const update = await add('update', together(byUpdate));
const claims = await Promise.allSettled(ten.map(claim));
const accepted = claims.filter(({ status }) => status === 'fulfilled').length;
const anns = await db.fetch({ collectionName: 'users', where: [['name', '=', 'ann']] });

const tell = (result) => `${result.accepted} accepted, balance ${result.balance}`;
console.log(`@triplit/db@${version}, node ${process.version}`);
console.log('expected: of ten transactions that add 1 to 0 each is either refused or counted; of ten that claim a name one is accepted');
console.log(`seen:     one after the other: ${tell(row)}`);
console.log(`          together, by transact(): ${tell(transact)}; by update() with a callback: ${tell(update)}`);
console.log(`          the name was claimed by ${accepted}, and has ${anns.length} users`);
const isLost = (result) => result.accepted === 10 && result.balance < 10;
const holds = row.balance === 10 && isLost(transact) && isLost(update) && accepted > 1 && anns.length > 1;
if (!holds) console.log('CHANGED: transactions that met are refused, or made one after the other');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 40 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 40 seconds' >&2; exit 3; }
exit "$code"
