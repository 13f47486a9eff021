#!/usr/bin/env bash
# proper-lockfile 4.1.2: the release of a holder that lost its lock frees the lock of the next holder, without an error.
#
# What: A takes the lock and blocks its event loop for longer than `stale` (a long parse, a suspended machine). B takes the stale lock,
# rightly. A finishes, and calls release() in the same turn, before its timer had a chance to see that the lock is compromised. release()
# removes the folder, whose folder it is now is not looked at. C gets in while B is at work.
# Why it hurts: that A overran is A's fault, and one would expect ECOMPROMISED or ERELEASED; but B and C did all right, and are both
# inside. `await lock; work; finally release` is the usual form, and the release always comes before the timer.
# Who should care: who guards a state folder or a ledger with it, as package managers and command line tools do.
# Source: lib/lockfile.js, unlock() and updateLock(); the README says that release() rejects for a lock that was compromised.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  proper-lockfile@4.1.2 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import lockfile from 'proper-lockfile';

const [, script, name, workMs] = process.argv;
const options = { stale: 2_000, retries: { retries: 200, minTimeout: 50, maxTimeout: 50 }, onCompromised: () => {} };
if (name !== undefined) {
  // B or C: take the lock, work, leave. It ends without a release: what is asked is who is inside, and when.
  await lockfile.lock('state', options);
  console.log(`enters ${Date.now()}`);
  await sleep(Number(workMs));
  console.log(`leaves ${Date.now()}`);
  process.exit(0);
}

const { version } = JSON.parse(readFileSync('node_modules/proper-lockfile/package.json', 'utf8'));
console.log(`proper-lockfile@${version}, node ${process.version}`);
writeFileSync('state', '');
const times = { B: {}, C: {} };
function start(who, ms) {
  const child = spawn(process.execPath, [script, who, String(ms)], { stdio: ['ignore', 'pipe', 'inherit'] });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const [what, when] = line.split(' ');
    times[who][what] = Number(when);
  });
  return once(child, 'close');
}

const release = await lockfile.lock('state', options);
const others = [start('B', 4_000)];
const until = Date.now() + 4_000;
while (Date.now() < until);
const released = await release().then(() => 'without an error', (error) => `with ${error.code}`);
others.push(start('C', 100));
await Promise.all(others);

console.log('expected: A, which overran, is told so, and C enters after B has left');
const early = times.B.leaves - times.C.enters;
console.log(`seen:     A released ${released}; C entered ${early} ms ${early > 0 ? 'before' : 'after'} B left`);

const holds = released === 'without an error' && times.B.enters < times.C.enters && early > 0;
if (!holds) console.log('CHANGED: the release of A leaves the lock of B alone');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 40 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 40 seconds' >&2; exit 3; }
exit "$code"
