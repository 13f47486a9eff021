#!/usr/bin/env bash
# @tanstack/pacer 0.22.0: flushAsBatch() of an AsyncQueuer is given the item that is at work as well, which is then done twice; flush() runs all at once, whatever `concurrency` says; and a stack (getItemsFrom: 'back') stops halfway.
#
# What: flushAsBatch() takes the list that peekAllItems() shows, and the items at work are the first in it. flush() starts each of the items that wait in the same moment, beside the one at work. A queuer that takes from the back notes as
# "at work" the item at the front, and takes another one: what it noted is never struck out, and counts against `concurrency` for good.
# Why it hurts: the flush is for the end: the page is closed, the process is stopped. The order that is being sent is sent a second time; what was to be one after the other, for the sake of its order or of a limit, goes out together. And
# of four items in a stack two are done, and the other ones never.
# Who should care: who drains an AsyncQueuer. Await what peekActiveItems() has, or flush after stop() and the end of it; take a stack from the front: addItemsTo: 'front'.
# Source: dist/async-queuer.js, flushAsBatch(), flush() and the tick.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error @tanstack/pacer@0.22.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { AsyncQueuer } from '@tanstack/pacer';

const { version } = JSON.parse(readFileSync('node_modules/@tanstack/pacer/package.json', 'utf8'));
const WORK_MS = 100;

/** Four orders in a queue with a concurrency of 1: what was sent, in its order, how many were at work at once, and what is left in the end. */
async function send(options, drain) {
  const sent = [];
  let atWork = 0;
  let most = 0;
  const queuer = new AsyncQueuer(
    async (order) => {
      sent.push(order);
      atWork += 1;
      most = Math.max(most, atWork);
      await sleep(WORK_MS);
      atWork -= 1;
    },
    { concurrency: 1, ...options },
  );
  for (const order of ['a', 'b', 'c', 'd']) queuer.addItem(order);
  await drain(queuer, sent);
  await sleep(WORK_MS * 8);
  return { sent: sent.join(' '), most, left: queuer.peekPendingItems().join(' ') || 'none' };
}
const queue = await send({}, async () => {});
const batch = await send({}, async (queuer, sent) => queuer.flushAsBatch(async (orders) => sent.push(...orders)));
const flush = await send({}, async (queuer) => queuer.flush());
const stack = await send({ getItemsFrom: 'back' }, async () => {});

const tell = ({ sent, most, left }) => `sent ${sent}, at once ${most}, left ${left}`;
console.log(`@tanstack/pacer@${version}, node ${process.version}`);
console.log('expected: of four orders in a queue with a concurrency of 1 each is sent once, one at a time, and none is left');
console.log(`seen:     left alone: ${tell(queue)}`);
console.log(`          flushAsBatch() while a is at work: ${tell(batch)}`);
console.log(`          flush() while a is at work: ${tell(flush)}`);
console.log(`          taken from the back: ${tell(stack)}`);
const isRight = queue.sent === 'a b c d' && queue.most === 1 && queue.left === 'none';
const holds = isRight && batch.sent === 'a a b c d' && flush.most === 4 && stack.left === 'b c';
if (!holds) console.log('CHANGED: nothing is sent twice, or at once, or left');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 40 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 40 seconds' >&2; exit 3; }
exit "$code"
