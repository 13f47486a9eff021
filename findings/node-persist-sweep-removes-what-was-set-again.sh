#!/usr/bin/env bash
# node-persist 4.0.4: the sweep that removes expired items removes those as well that were set again while it runs: acknowledged, read, and gone.
#
# What: removeExpiredItems(), which runs every two minutes by default, reads all items, keeps the keys of those that are over, and then removes these keys one after the other, whatever is stored there by then.
# Why it hurts: setItem() resolved, getItem() had the new value, and a moment later there is none. The more items expire, the longer the sweep, and the more of them are set anew during it: sessions of users
# who come back, idempotency keys, counters of rate limits.
# Who should care: who uses `ttl` and sets keys again. `expiredInterval: false`, and a removeExpiredItems() of one's own when nothing is written, help; getItem() of what is over removes it as well, in the same way.
# Source: the package's src/local-storage.js, removeExpiredItems() and getItem(). Its README says that the process "will clean-up the expired cache" every two minutes.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error node-persist@4.0.4 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import persist from 'node-persist';

const { version } = JSON.parse(readFileSync('node_modules/node-persist/package.json', 'utf8'));
const keys = Array.from({ length: 300 }, (_, index) => `session-${index}`);

/** How many of the sessions, all of which were over and were set again, were read at once, and how many are there at the end. */
async function setAgain(dir, isSwept) {
  // The sweep is called below in place of waiting for its two minutes.
  const storage = persist.create({ dir, expiredInterval: false });
  await storage.init();
  for (const key of keys) await storage.setItem(key, 'old', { ttl: 50 });
  await sleep(200);
  const sweep = isSwept ? storage.removeExpiredItems() : undefined;
  await sleep(20);
  let read = 0;
  for (const key of keys) {
    await storage.setItem(key, 'new');
    if ((await storage.getItem(key)) === 'new') read += 1;
  }
  await sweep;
  let there = 0;
  for (const key of keys) if ((await storage.getItem(key)) === 'new') there += 1;
  return { read, there };
}
const alone = await setAgain('alone', false);
const swept = await setAgain('swept', true);
console.log(`node-persist@${version}, node ${process.version}`);
console.log(`expected: of ${keys.length} items that are set again after their time was over, ${keys.length} are there, swept or not`);
console.log(`seen:     without a sweep ${alone.read} were read at once, and ${alone.there} are there;`);
console.log(`          during one ${swept.read} were read at once, and ${swept.there} are there`);
const holds = alone.there === keys.length && swept.there < swept.read;
if (!holds) console.log('CHANGED: what was set again stays, or this machine was too fast or too slow to see it go');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 60 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 60 seconds' >&2; exit 3; }
exit "$code"
