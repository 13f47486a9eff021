#!/usr/bin/env bash
# cache-manager 7.2.9: wrap() over two layers answers a value for up to twice its ttl: the copy in the first layer starts with the whole ttl.
#
# What: where the first layer has no value and the second one has, wrap() puts it into the first one with the ttl of the call, not with what is left of it. ttl() of the
# cache then says the whole ttl again. Three layers make it three times. cacheable, of the same authors, hands on what is left.
# Why it hurts: the ttl is how old an answer may be: a price, a permission, a revocation list. With memory before a shared store, which is what layers are for, each process
# that starts or misses just before the end gets the old value for one more ttl, while others compute the new one. Two processes then answer differently for that long.
# Who should care: who has stores: [memory, Redis]. refreshThreshold hides it only for values that end soon.
# Source: the package's wrap() (the last set over the layers before the one that had it); jaredwray/cacheable#67 described it for an older major version and is closed.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  cache-manager@7.2.9 cacheable@2.5.0 keyv@5.6.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCache } from 'cache-manager';
import { Cacheable } from 'cacheable';
import { Keyv } from 'keyv';

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
console.log(`cache-manager@${version('cache-manager')}, cacheable@${version('cacheable')}, node ${process.version}`);

const TTL_MS = 4_000;

/** The age of a value as a second process gets it: it starts when three quarters of the ttl are over, and asks once more when the whole ttl is. */
async function age(cacheOver) {
  const shared = new Keyv();
  const compute = async () => Date.now();
  await cacheOver(shared)(compute);
  await sleep((TTL_MS * 3) / 4);
  const second = cacheOver(shared);
  await second(compute);
  await sleep(TTL_MS / 2);
  const computedAt = await second(compute);
  return Date.now() - computedAt;
}

const [layered, handed] = await Promise.all([
  age((shared) => {
    const cache = createCache({ stores: [new Keyv(), shared] });
    return (compute) => cache.wrap('price', compute, TTL_MS);
  }),
  age((shared) => {
    const cache = new Cacheable({ secondary: shared });
    return (compute) => cache.getOrSet('price', compute, { ttl: TTL_MS });
  }),
]);

console.log(`expected: no answer is older than its ttl of ${TTL_MS} ms`);
console.log(`seen:     cache-manager: ${layered} ms old; cacheable: ${handed} ms old`);
const holds = layered >= TTL_MS && handed < TTL_MS;
if (!holds) console.log('CHANGED: a copy ends with its original');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
