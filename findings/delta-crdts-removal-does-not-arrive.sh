#!/usr/bin/env bash
# delta-crdts 0.10.3: what is removed from an add-wins set, or switched off in an enable-wins flag, stays on every replica that gets the delta of it; only who did it sees it.
#
# What: remove() and disable() take the value away at home and return a delta in which that value is not named as removed. A replica that applies the deltas in their order, each once, keeps it.
# The remove-wins set and the register are right, and so is an exchange of whole states.
# Why it hurts: deltas are what the library is for. Replicas that have exchanged all of them differ, without any concurrency: a grant that was taken back, a member that left, a switch that is
# off stand on one replica only, until somebody sends a whole state.
# Who should care: who replicates by delta-crdts, peer-base or a port of them. Send state() after a removal, or use rworset.
# Source: src/dot-set.js (removeValue hands one argument to insertDot, which takes two), src/aworset.js, ewflag.js and dwflag.js, README ("Apply the deltas").
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  delta-crdts@0.10.3 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import DeltaCRDT from 'delta-crdts';

const { version } = JSON.parse(readFileSync('node_modules/delta-crdts/package.json', 'utf8'));
console.log(`delta-crdts@${version}, node ${process.version}`);

const show = (replica) => JSON.stringify(replica.value(), (_, value) => (value instanceof Set ? [...value] : value));

/** One replica does what it is told; the other one is sent the deltas in their order, and the state in the end. */
function follow(type, ...steps) {
  const [first, second] = ['first', 'second'].map(DeltaCRDT(type));
  for (const step of steps) second.apply(step(first));
  const [done, byDeltas] = [show(first), show(second)];
  second.apply(first.state());
  return { done, byDeltas, byState: show(second) };
}
const results = {
  aworset: follow('aworset', (set) => set.add('ann'), (set) => set.remove('ann')),
  ewflag: follow('ewflag', (flag) => flag.enable(), (flag) => flag.disable()),
  rworset: follow('rworset', (set) => set.add('ann'), (set) => set.remove('ann')),
};
console.log('expected: who applies the deltas of one replica in their order has what it has');
for (const [type, { done, byDeltas, byState }] of Object.entries(results)) {
  console.log(`seen:     ${type}: ${done} at the first replica, ${byDeltas} by the deltas, ${byState} by the state`);
}

const { aworset, ewflag, rworset } = results;
const holds = aworset.done === '[]' && aworset.byDeltas === '["ann"]' && aworset.byState === '[]'
  && ewflag.done === 'false' && ewflag.byDeltas === 'true' && ewflag.byState === 'false' && rworset.done === '[]' && rworset.byDeltas === '[]';
if (!holds) console.log('CHANGED: removals arrive by their deltas');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
