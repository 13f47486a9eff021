#!/usr/bin/env bash
# bloom-filters 3.0.4: a CuckooFilter says of many items that it accepted that it has never seen them, from three quarters of its size on; its Bloom filters never do.
#
# What: where both buckets of an item are taken, another item is moved to its other bucket. The place is computed from the place where it was found, as if the number of buckets were a power of two;
# create() takes any number. So what is moved is put where has() does not look for it. add() answers true, for the one that comes as for the one that is lost.
# Why it hurts: "no" is the answer of such a filter that is certain. A filter that was tried with a few items is right. Who asks it whether a message was handled, or a request was made, handles it a second time; remove() does not find the item either.
# Who should care: who keeps out doubles by a CuckooFilter of it. Its BloomFilter, PartitionedBloomFilter and CountingBloomFilter have what was added.
# Source: src/cuckoo/cuckoo-filter.ts (add takes index ^ hash modulo the size, _locations takes the modulo of each afterwards); its README ("False positive matches are possible, but false negatives are not").
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  bloom-filters@3.0.4 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import bloomFilters from 'bloom-filters';

const { version } = JSON.parse(readFileSync('node_modules/bloom-filters/package.json', 'utf8'));
console.log(`bloom-filters@${version}, node ${process.version}`);

const CAPACITY = 1000;
/** Of as many items as are added: how many were accepted, and how many of those are not there. */
function fill(filter, count) {
  const items = Array.from({ length: count }, (_, number) => `order-${number}`);
  const accepted = items.filter((item) => filter.add(item) !== false);
  return { accepted: accepted.length, missing: accepted.filter((item) => !filter.has(item)).length };
}
const counts = [250, 500, 750, CAPACITY];
const cuckoo = counts.map((count) => fill(bloomFilters.CuckooFilter.create(CAPACITY, 0.001), count));
const bloom = counts.map((count) => fill(bloomFilters.BloomFilter.create(CAPACITY, 0.001), count));
const show = (results) => results.map(({ accepted, missing }) => `${missing} of ${accepted}`).join(', ');
console.log(`expected: a filter made for ${CAPACITY} items says of none that it accepted that it is not there`);
console.log(`seen:     not there in a CuckooFilter: ${show(cuckoo)}; in a BloomFilter: ${show(bloom)}`);

const last = cuckoo.at(-1);
const holds = last.accepted > 900 && last.missing > 100 && bloom.every(({ missing }) => missing === 0);
if (!holds) console.log('CHANGED: what was accepted is there');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
