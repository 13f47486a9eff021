#!/usr/bin/env bash
# @deno/kv 0.14.0: `backoffSchedule` is not looked at; each message is delivered up to five times within two seconds, and then given up.
#
# What: Deno's manual says that [1000, 5000, 10000] is at most three more deliveries after these times; @deno/kv takes the option with the same types and sends 100, 200, 400 and 800 ms to
# the database, whatever was asked for. Nothing is refused or logged.
# Why it hurts: with [] a handler that is to run once, as it is not safe to repeat, is run five times. With [60_000] a message that should outlast a restart of what the handler calls is
# taken from the queue after two seconds, and is lost where no keysIfUndelivered were given: they are optional.
# Who should care: who moves a program from Deno to Node or Bun, and who counts on the schedule as the limit of repeats.
# Source: @deno/kv, proto_based.js (computeEnqueueMessage); Deno's reference, Deno.Kv.prototype.enqueue.
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
import { openKv } from '@deno/kv';

const { version } = JSON.parse(readFileSync('node_modules/@deno/kv/package.json', 'utf8'));
console.log(`@deno/kv@${version}, node ${process.version}`);
const WATCHED_MS = 15_000;

/** How often a handler that fails is called, and when its message was given up; undefined where it was not. */
async function deliver(name, backoffSchedule) {
  const kv = await openKv(`${name}.db`);
  const start = Date.now();
  let deliveries = 0;
  const listening = kv.listenQueue(() => {
    deliveries += 1;
    throw new Error('what the handler calls is down');
  });
  await kv.enqueue(name, { backoffSchedule, keysIfUndelivered: [['given up', name]] });
  let givenUpMs;
  while (givenUpMs === undefined && Date.now() - start < WATCHED_MS) {
    await sleep(100);
    if ((await kv.get(['given up', name])).value === name) givenUpMs = Date.now() - start;
  }
  kv.close();
  await listening;
  return { deliveries, givenUpMs };
}

const once = await deliver('once', []);
const patient = await deliver('patient', [60_000]);
const show = ({ deliveries, givenUpMs }) => `delivered ${deliveries} times, ${givenUpMs === undefined ? 'not given up' : `given up after ${givenUpMs} ms`}`;
console.log('expected: []: delivered once, then given up; [60000]: delivered once and kept for the second delivery, a minute later');
console.log(`seen:     []: ${show(once)}; [60000]: ${show(patient)}`);

const holds = once.deliveries > 1 && patient.deliveries > 2 && patient.givenUpMs !== undefined;
if (!holds) console.log('CHANGED: the schedule is looked at');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 50 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 50 seconds' >&2; exit 3; }
exit "$code"
