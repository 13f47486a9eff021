#!/usr/bin/env bash
# lru-cache 11.5.3: an entry's TTL stands still while promises keep the event loop from its timers.
#
# What: the cache reads the clock once and keeps the reading until a timer of `ttlResolution` (1 ms) clears it. That timer needs a turn of
# the event loop. Code that works and awaits resolved promises gives it none: the time of the first get() is "now" for as long as that
# lasts, and getRemainingTTL() stands still.
# Why it hurts: a lease or a leadership kept in the cache with its TTL is checked before each step, and is "valid" long after it ran out;
# another node holds it by then. The busier the node, the longer. ttlResolution: 0 reads the clock each time.
# Who should care: who keeps leases, locks or tokens in an LRU cache with a TTL.
# Source: the README on ttlResolution (the least time between two looks at the clock; nothing of a most); getNow in src/index.ts.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  lru-cache@11.5.3 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';

const { version } = JSON.parse(readFileSync('node_modules/lru-cache/package.json', 'utf8'));
console.log(`lru-cache@${version}, node ${process.version}`);

const TTL_MS = 50;
/** Something that computes for a while, as the folding of a large reply does. */
async function step() {
  const end = performance.now() + 40;
  while (performance.now() < end);
}

async function lastValid(options) {
  const leases = new LRUCache({ max: 10, ttl: TTL_MS, ...options });
  leases.set('leader', 'me');
  const start = performance.now();
  let valid = 0;
  for (let number = 0; number < 8 && leases.get('leader') === 'me'; number += 1) {
    valid = performance.now() - start;
    await step();
  }
  const remaining = leases.getRemainingTTL('leader');
  await sleep(5);
  return { valid, remaining, afterTurn: leases.get('leader') };
}

const usual = await lastValid({});
const exact = await lastValid({ ttlResolution: 0 });
const ms = (value) => `${value.toFixed(0)} ms`;
console.log(`expected: a lease of ${TTL_MS} ms that is checked before each step of 40 ms is valid for two checks at most`);
console.log(`seen:     valid at ${ms(usual.valid)}, with ${ms(usual.remaining)} said to remain; gone one turn of the event loop later`);
console.log(`          with ttlResolution: 0 last valid at ${ms(exact.valid)}`);

const holds = usual.valid > 4 * TTL_MS && usual.remaining > 0 && usual.afterTurn === undefined && exact.valid < 2 * TTL_MS;
if (!holds) console.log('CHANGED: the lease ends with its TTL');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
