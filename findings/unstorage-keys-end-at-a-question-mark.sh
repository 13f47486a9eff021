#!/usr/bin/env bash
# unstorage 1.17.6: whatever follows a question mark is no part of a key: the values of ?user=ann and ?user=bob are one.
#
# What: each key is normalized before it reaches a driver: it is cut at the first "?", "/" and "\" become ":", several ":" become one, and those at the ends are dropped. So "order?1" and "order?2",
# "a/b" and "a:b", "a::b" and "a:b" are one key each. Nothing is refused and nothing is said.
# Why it hurts: answers that are stored by their URL, the most usual key of a cache, are handed to whoever asks for the same path with another query: another user, another page, another search. Locks and
# idempotency keys of that kind stand in for each other: the second payment is told that it was made. The order of writes decides what all of them read.
# Who should care: who stores by URLs, or by keys that come from outside. Hash the key first.
# Source: unstorage's src/utils.ts, normalizeKey(). Its README does not mention it.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error unstorage@1.17.6 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createStorage } from 'unstorage';
import fsDriver from 'unstorage/drivers/fs';

const { version } = JSON.parse(readFileSync('node_modules/unstorage/package.json', 'utf8'));
const url = (user) => `https://api.example/orders?user=${user}`;

/** What two users read who have each stored their own orders, and whether a third one has some. */
async function orders(storage) {
  for (const user of ['ann', 'bob']) await storage.setItem(url(user), `orders of ${user}`);
  return { ann: await storage.getItem(url('ann')), bob: await storage.getItem(url('bob')), carolHas: await storage.hasItem(url('carol')) };
}
const seen = { 'in memory': await orders(createStorage()), 'in files': await orders(createStorage({ driver: fsDriver({ base: './store' }) })) };

console.log(`unstorage@${version}, node ${process.version}`);
console.log('expected: what is stored under a key is read under that key, and under no other one');
for (const [where, { ann, bob, carolHas }] of Object.entries(seen)) {
  console.log(`seen:     ${where} ?user=ann reads "${ann}", ?user=bob "${bob}"; ?user=carol, which nobody stored, is there: ${carolHas}`);
}
const holds = Object.values(seen).every(({ ann, bob, carolHas }) => ann === 'orders of bob' && bob === ann && carolHas);
if (!holds) console.log('CHANGED: the queries are told apart');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
