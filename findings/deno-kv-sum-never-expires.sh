#!/usr/bin/env bash
# @deno/kv 0.14.0: `sum`, `min` and `max` take the expiry of a key away, so a counter with `expireIn` is kept for good after its first increment.
#
# What: the mutations write the key anew without a time, and have no option for one: a `set` is the only way to give it, and that is no atomic addition. Redis keeps the time of a key
# that is incremented.
# Why it hurts: "five tries in ten minutes" is five tries for ever, as the counter does not begin again: users stay locked out, quotas stay used up, and the store grows by every key.
# Who should care: who counts per time window in Deno KV. Put the window into the key and delete old ones, or `check` the version and `set` with `expireIn`.
# Source: @deno/kv, in_memory.js (the row of a sum); Deno's reference of KvMutation, which speaks of expiry at `set` alone. How it is seen: the three keys and one that is only set have the
# same expiry and are looked at when that one is gone, which takes the database in a file up to a minute.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error @deno/kv@0.14.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { KvU64, openKv } from '@deno/kv';

const { version } = JSON.parse(readFileSync('node_modules/@deno/kv/package.json', 'utf8'));
console.log(`@deno/kv@${version}, node ${process.version}`);

/** What is left of four counters that were to expire after a second, when the one that was only set is gone. */
async function leftOver(path) {
  const kv = await openKv(path);
  const names = ['set', 'sum', 'min', 'max'];
  for (const name of names) await kv.set([name], new KvU64(5n), { expireIn: 1_000 });
  await kv.atomic().sum(['sum'], 1n).min(['min'], 3n).max(['max'], 7n).commit();
  let left;
  do {
    await sleep(500);
    left = (await kv.getMany(names.map((name) => [name]))).map(({ value }) => value?.value);
  } while (left[0] !== undefined);
  kv.close();
  return names.map((name, index) => `${name} ${left[index] ?? 'gone'}`).join(', ');
}

const [inFile, inMemory] = await Promise.all([leftOver('counters.db'), leftOver('')]);
console.log('expected: when the counter that was set with an expiry is gone, those of the same age that were counted on are gone, too');
console.log(`seen:     in a file: ${inFile}; in memory: ${inMemory}`);

const holds = [inFile, inMemory].every((left) => left === 'set gone, sum 6, min 3, max 7');
if (!holds) console.log('CHANGED: counters expire');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 130 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 130 seconds' >&2; exit 3; }
exit "$code"
