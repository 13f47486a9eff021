#!/usr/bin/env bash
# consistent-hash 1.2.2: two processes with the same nodes, named in the same order, give most keys to different nodes; so does one process after its restart.
#
# What: the places of a node on the ring are drawn by chance when it is added, not computed from its name. hashring computes them, as memcached's clients do. `distribution: 'uniform'` draws nothing, but
# gives the places by the order in which nodes are added.
# Why it hurts: within one process all is as it should be: a key stays where it is, and a node that is added takes keys from the others only. With a second one, each key has two owners: caches that
# are never invalidated, counters and locks that are held twice, workers that both take a job, or neither of them. A restart is a move of most keys.
# Who should care: who shares out keys, locks or jobs by it among several processes. Hand the same points to each (the third argument of add()), or take a ring that hashes its nodes.
# Source: its README ("control points are randomly created", below the heading of add()), consistent-hash.js (_makeControlPoints).
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  consistent-hash@1.2.2 hashring@3.2.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import ConsistentHash from 'consistent-hash';
import HashRing from 'hashring';

const versionOf = (name) => `${name}@${JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version}`;
console.log(`${versionOf('consistent-hash')}, ${versionOf('hashring')}, node ${process.version}`);

const nodes = ['10.0.0.1:6379', '10.0.0.2:6379', '10.0.0.3:6379', '10.0.0.4:6379'];
const keys = Array.from({ length: 5000 }, (_, number) => `user:${number}`);

function ring(names, options) {
  const made = new ConsistentHash(options);
  for (const name of names) made.add(name);
  return made;
}
const moved = (one, other) => keys.filter((key) => one.get(key) !== other.get(key)).length;
const twice = moved(ring(nodes), ring(nodes));
const uniform = moved(ring(nodes, { distribution: 'uniform' }), ring(nodes, { distribution: 'uniform' }));
const reversed = moved(ring(nodes, { distribution: 'uniform' }), ring(nodes.toReversed(), { distribution: 'uniform' }));
const hashed = moved(new HashRing(nodes), new HashRing(nodes.toReversed()));

console.log('expected: two rings of the same nodes give each key to the same node');
console.log(`seen:     of ${keys.length} keys ${twice} go to another node; with uniform places ${uniform}, and ${reversed} where the nodes are named in another order;`);
console.log(`          in hashring, in another order, ${hashed}`);

const holds = twice > keys.length / 2 && uniform === 0 && reversed > keys.length / 4 && hashed === 0;
if (!holds) console.log('CHANGED: rings of the same nodes agree');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
