#!/usr/bin/env bash
# @tanstack/pacer 0.22.0: `await batcher.addItem(item)` resolves before the batch of a timer is done, and whether or not it fails; the error goes to nobody; and the next batch empties the list of what failed.
#
# What: AsyncBatcher "returns promises that can be awaited for batch results", and addItem() is documented to return what the batch returned, and to throw its error. For a batch that maxSize starts that is so for the last item of it. With
# `wait`, which is how most of them start, addItem() waits for the time, not for the batch: it gives undefined to all, and the error of the batch is an unhandled rejection, which ends the process. So do the others of a full batch.
# Why it hurts: the answer to the client, the acknowledgement of the message, the deletion from the outbox come after the `await`: the item counts as stored while its batch has not even been answered, and when that fails nothing is told
# to any of them. peekFailedItems(), from which one would send it again, is empty as soon as the next batch begins: the latter clears both lists.
# Who should care: who awaits addItem(), or asyncBatch(), for writes. Keep a promise for each item of one's own, and settle them in onSuccess and onError, which are given the batch.
# Source: dist/async-batcher.js, addItem() and clear().
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
import { AsyncBatcher } from '@tanstack/pacer';

const { version } = JSON.parse(readFileSync('node_modules/@tanstack/pacer/package.json', 'utf8'));
const unhandled = [];
process.on('unhandledRejection', (error) => unhandled.push(error.message));

const WAIT_MS = 100;
/** What addItem() ends with for each of three items, and whether their batch was done by then. */
async function add(batcher, isDone) {
  const ends = ['a', 'b', 'c'].map((item) =>
    batcher.addItem(item).then(
      (result) => ({ end: `resolved with ${result}`, isEarly: !isDone() }),
      (error) => ({ end: `rejected with ${error.message}`, isEarly: !isDone() }),
    ),
  );
  return Promise.all(ends);
}
/** A store that takes longer than the batcher waits, and stores, or refuses, all. */
function store(isRefused) {
  const stored = { isDone: false };
  stored.write = async () => {
    await sleep(WAIT_MS * 4);
    stored.isDone = true;
    if (isRefused) throw new Error('disk full');
    return 'stored';
  };
  return stored;
}
const full = store(true);
const bySize = await add(new AsyncBatcher(full.write, { maxSize: 3, wait: WAIT_MS }), () => full.isDone);
await sleep(WAIT_MS * 5);
const good = store(false);
const byTime = await add(new AsyncBatcher(good.write, { wait: WAIT_MS }), () => good.isDone);
await sleep(WAIT_MS * 5);
const bad = store(true);
const refusing = new AsyncBatcher(bad.write, { wait: WAIT_MS });
const refused = await add(refusing, () => bad.isDone);
await sleep(WAIT_MS * 5);
const failedAtFirst = refusing.peekFailedItems().join(' ');
refusing.addItem('d');
await sleep(WAIT_MS * 2);
const failedAfter = refusing.peekFailedItems().join(' ') || 'none';

const tell = (items) => items.map(({ end, isEarly }) => `${end}${isEarly ? ', before the batch was done' : ''}`).join('; ');
console.log(`@tanstack/pacer@${version}, node ${process.version}`);
console.log('expected: addItem() ends with what the batch of the item ended with: "stored", or the error');
console.log(`seen:     a batch by the time, which succeeds: ${tell(byTime)}`);
console.log(`          a batch by the time, which fails: ${tell(refused)}`);
console.log(`          a batch by its size, which fails: ${tell(bySize)}`);
console.log(`          rejections that nobody could handle: ${unhandled.join(', ') || 'none'}; failed items: ${failedAtFirst}; once the next batch has begun: ${failedAfter}`);
const isBlind = (items) => items.every(({ end, isEarly }) => end === 'resolved with undefined' && isEarly);
const holds = isBlind(byTime) && isBlind(refused) && bySize[2].end === 'rejected with disk full' && isBlind(bySize.slice(0, 2));
const isForgotten = failedAtFirst === 'a b c' && failedAfter === 'none' && unhandled.includes('disk full');
if (!holds || !isForgotten) console.log('CHANGED: addItem() waits for the batch, or what failed is kept');
process.exit(holds && isForgotten ? 0 : 1);
JS
code=0
timeout 40 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 40 seconds' >&2; exit 3; }
exit "$code"
