#!/usr/bin/env bash
# bentocache 1.6.1: a value that deleteByTag() removed is answered again after ten days, if nobody asked for it meanwhile.
#
# What: deleteByTag() removes nothing. It notes a time for the tag, and a value with the tag that is older counts as expired when it is asked for. The note has a ttl of ten
# days; a value with a longer one, or set for ever, outlives it and is valid again. A question within the ten days marks the value itself, and it stays expired.
# Why it hurts: rights that were withdrawn, a price that was corrected, a customer's data that was to go come back on the eleventh day, from a cache that has been right since.
# Who should care: who has ttl above ten days, or setForever(), with tags. delete() of the keys removes them.
# Source: the package's tag system (the note is set with ttl: '10d' and grace: '10d', of which the grace is how long it is kept); its documentation of tags does not name
# the time. The script moves Date.now() ahead; values are in the package's file driver.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error --legacy-peer-deps bentocache@1.6.1 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { BentoCache, bentostore } from 'bentocache';
import { fileDriver } from 'bentocache/drivers/file';

const { version } = JSON.parse(readFileSync('node_modules/bentocache/package.json', 'utf8'));
console.log(`bentocache@${version}, node ${process.version}`);

const DAY_MS = 24 * 60 * 60 * 1_000;
const clock = Date.now.bind(Date);
let aheadMs = 0;
Date.now = () => clock() + aheadMs;

/** What is answered some days after the tag was deleted, of a value that may live for thirty days. */
async function read(days) {
  aheadMs = 0;
  const driver = fileDriver({ directory: `after-${days}`, pruneInterval: false });
  const cache = new BentoCache({ default: 'rights', stores: { rights: bentostore().useL2Layer(driver) } });
  await cache.set({ key: 'ann', value: 'admin', ttl: '30d', tags: ['staff'] });
  aheadMs += 1_000;
  await cache.deleteByTag({ tags: ['staff'] });
  aheadMs += days * DAY_MS;
  const value = await cache.get({ key: 'ann' });
  await cache.disconnect();
  return value ?? 'nothing';
}

const seen = {};
for (const days of [0, 9, 11, 29]) seen[days] = await read(days);
console.log('expected: nothing, whenever it is asked for');
console.log(`seen:     ${Object.entries(seen).map(([days, value]) => `after ${days} days: ${value}`).join('; ')}`);
const holds = seen[0] === 'nothing' && seen[9] === 'nothing' && seen[11] === 'admin' && seen[29] === 'admin';
if (!holds) console.log('CHANGED: what was invalidated stays so');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
