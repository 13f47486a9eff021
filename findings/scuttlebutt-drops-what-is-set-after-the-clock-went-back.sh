#!/usr/bin/env bash
# scuttlebutt 5.6.15 with monotonic-timestamp 0.0.9: after the clock was set back a model drops what it sets itself, new keys included, without an error, until the clock has come as far as before.
#
# What: monotonic-timestamp tells calls within one millisecond apart; where the clock is behind its last answer it gives a smaller one. scuttlebutt takes an update whose time is not above
# the newest of its source for one that it has already, its own updates as well; an event "old_data" is all that tells.
# Why it hurts: set() returns the model as ever; neither the replica itself nor any other one has the value. A machine whose clock was ahead by an hour, and is set right, writes nothing for an hour.
# Who should care: who replicates by scuttlebutt, or takes monotonic-timestamp for what its name says, as for ids in the order of their making. Read back what was set.
# Source: monotonic-timestamp's index.js (only an equal time is raised), scuttlebutt's index.js (_update compares with sources[id]).
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  scuttlebutt@5.6.15 monotonic-timestamp@0.0.9 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import timestamp from 'monotonic-timestamp';
import Model from 'scuttlebutt/model.js';

const versionOf = (name) => `${name}@${JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version}`;
console.log(`${versionOf('scuttlebutt')}, ${versionOf('monotonic-timestamp')}, node ${process.version}`);

/** The clock of the machine, and how far it was set back. */
const clock = Date.now.bind(Date);
let setBackMs = 0;
Date.now = () => clock() - setBackMs;

const earlier = timestamp();
setBackMs = 1000;
const later = timestamp();
setBackMs = 0;

const [here, there] = [new Model('here'), new Model('there')];
const [left, right] = [here.createStream(), there.createStream()];
left.pipe(right).pipe(left);
await sleep(50);
here.set('limit', 10);
await sleep(50);
setBackMs = 60_000;
here.set('limit', 20);
here.set('owner', 'ann');
await sleep(50);
const show = (model) => `limit ${model.get('limit')}, owner ${model.get('owner')}`;
const behind = [show(here), show(there)];
setBackMs = 0;
here.set('limit', 30);
await sleep(50);
const caughtUp = [show(here), show(there)];

console.log('expected: a monotonic time does not go back, and what a model sets it has');
console.log(`seen:     the next time is ${(earlier - later).toFixed(0)} ms below the one before; limit set to 10, the clock set back by a minute, limit set to 20 and owner to ann:`);
console.log(`          here ${behind[0]}; there ${behind[1]}; with the clock right again, limit set to 30: here ${caughtUp[0]}; there ${caughtUp[1]}`);

const holds = later < earlier && behind.every((text) => text === 'limit 10, owner undefined') && caughtUp.every((text) => text === 'limit 30, owner undefined');
if (!holds) console.log('CHANGED: what is set after the clock went back is stored');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
