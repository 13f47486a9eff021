#!/usr/bin/env bash
# crdts 0.2.0 (the CRDTs of OrbitDB): a set that was stored as JSON and read back does not remove what it holds, and loses a removal that it
# is sent.
#
# What: from(json) brings back the operations but not the index of the values that are known. For the restored set nothing is there yet:
# remove() finds nothing to do and says nothing, and the first merge() adds each value once more beside the operation that is there, so
# what was removed elsewhere still counts as added. values() and has() show all of it, so it looks alive. LWWSet and ORSet alike.
# Why it hurts: replicas that got the same operations differ, by who was restarted: a lock, a member, a grant that was taken back stands
# again on one of them. A merge that is repeated heals the second fault, one that is made once does not: merge is not idempotent here.
# Who should care: who stores state-based CRDTs and reads them back. Merge the restored set into a fresh one: fresh.merge(restored).
# Source: src/CmRDT-Set.js (the constructor fills _operations and leaves _values empty; _findOperationsFor looks into _values).
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  crdts@0.2.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { LWWSet, ORSet } from 'crdts';

const { version } = JSON.parse(readFileSync('node_modules/crdts/package.json', 'utf8'));
console.log(`crdts@${version}, node ${process.version}`);

const show = (set) => `{${[...set.values()].join(', ')}}`;

function compare(Type) {
  const restart = (set) => Type.from(JSON.parse(JSON.stringify(set)));
  const first = new Type();
  first.add('x', 1);

  const restarted = restart(first);
  restarted.remove('x', 2);

  const elsewhere = new Type();
  elsewhere.merge(first);
  elsewhere.remove('x', 2);
  const stayed = new Type();
  stayed.merge(first);
  const told = restart(stayed);
  for (const replica of [stayed, told]) replica.merge(elsewhere);
  const once = show(told);
  told.merge(elsewhere);
  return { removed: show(restarted), stayed: show(stayed), once, twice: show(told) };
}
const results = [LWWSet, ORSet].map((Type) => ({ name: Type.name, ...compare(Type) }));
console.log('expected: x is removed, on a replica that was restarted as on one that was not');
for (const { name, removed, stayed, once, twice } of results) {
  console.log(`seen:     ${name}: after remove() by the restarted one ${removed}; after a merge with who removed x:`);
  console.log(`          not restarted ${stayed}, restarted ${once}, and after the same merge again ${twice}`);
}

const holds = results.every(({ removed, stayed, once, twice }) => removed === '{x}' && stayed === '{}' && once === '{x}' && twice === '{}');
if (!holds) console.log('CHANGED: a restored set removes');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
