#!/usr/bin/env bash
# better-queue 3.8.12: a task that fails while a newer one of the same id waits replaces the newer one by its retry.
#
# What: tasks of one id are merged, and unless told otherwise the newer one replaces the one that waits. A retry is put into the queue as if it were pushed at that moment:
# it counts as the newer one, and the task that was pushed during the run is lost. Its ticket ends with the retry's result.
# Why it hurts: "state of order 7: paid" fails, "state of order 7: refunded" was pushed meanwhile; what is delivered is "paid", and whoever pushed "refunded" is told that it
# finished. It takes one failure, such as the timeout that made the run long enough for a second push.
# Who should care: who pushes states by id with maxRetries above 1. A merge function that compares versions keeps the newer one.
# Source: lib/queue.js (task_failed calls _queueTask with the old task); its readme, "Task Merging", on the newer task replacing the older.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error better-queue@3.8.12 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import Queue from 'better-queue';

const { version } = JSON.parse(readFileSync('node_modules/better-queue/package.json', 'utf8'));
console.log(`better-queue@${version}, node ${process.version}`);

/** What is delivered of an order's two states, the second one pushed while the first one is at work, which then succeeds or fails once. */
async function deliver(failsFirst) {
  const delivered = [];
  let refunded;
  const queue = new Queue(
    ({ state }, done) => {
      if (refunded) {
        delivered.push(state);
        done(null, `delivered ${state}`);
        return;
      }
      refunded = new Promise((resolve) => {
        queue
          .push({ id: 'order 7', state: 'refunded' })
          .on('finish', resolve)
          .on('queued', () => {
            if (failsFirst) done('timeout');
            else {
              delivered.push(state);
              done(null, `delivered ${state}`);
            }
          });
      });
    },
    { maxRetries: 3 },
  );
  const first = new Promise((resolve) => queue.push({ id: 'order 7', state: 'paid' }).on('finish', resolve));
  await first;
  const told = await refunded;
  await new Promise((resolve) => queue.destroy(resolve));
  return `delivered: ${delivered.join(', ')}; the one who pushed "refunded" is told: ${told}`;
}

const usual = await deliver(false);
const failing = await deliver(true);
console.log('expected: the last delivery is "refunded", whether or not the first one fails');
console.log(`seen:     paid succeeds:    ${usual}`);
console.log(`          paid fails once:  ${failing}`);
const isUsual = usual === 'delivered: paid, refunded; the one who pushed "refunded" is told: delivered refunded';
const holds = isUsual && failing === 'delivered: paid; the one who pushed "refunded" is told: delivered paid';
if (!holds) console.log('CHANGED: a retry does not replace what is newer');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
