#!/usr/bin/env bash
# @platformatic/job-queue 0.5.0: a handler that returns nothing is run three times, and its job ends as failed.
#
# What: the result goes through JSON.stringify into a Buffer; for undefined there is no JSON, Buffer.from throws, and it throws where the errors of the handler are
# caught. A job that was done counts as a failed attempt and is started again. Memory, files and Redis alike, as for any result without JSON (a BigInt, a cycle).
# Why it hurts: the handler that sends a mail or charges a card is the one that has nothing to return. It does so maxRetries times (3), and then the job is "failed",
# which invites to queue it once more. Nothing is logged unless there is a logger, and the types allow it: Queue<Payload, void> compiles.
# Who should care: whoever executes for the effect. Return something from each handler.
# Source: dist/serde/index.js (serialize), dist/consumer.js (#processJob: the result is serialized within the try of the handler); the readme on maxRetries.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  @platformatic/job-queue@0.5.0 fast-write-atomic@0.4.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileStorage, MemoryStorage, Queue } from '@platformatic/job-queue';

const { version } = JSON.parse(readFileSync('node_modules/@platformatic/job-queue/package.json', 'utf8'));
console.log(`@platformatic/job-queue@${version}, node ${process.version}`);

/** How often one job was run, and its state in the end. */
async function run(storage, result) {
  await storage.connect();
  const queue = new Queue({ storage, blockTimeout: 1 });
  let mails = 0;
  queue.execute(async () => {
    mails += 1;
    return result;
  });
  const ended = Promise.race([once(queue, 'completed'), once(queue, 'failed')]);
  await queue.start();
  await queue.enqueue('welcome', { to: 'ann' });
  await ended;
  const { state } = await queue.getStatus('welcome');
  await queue.stop();
  return { mails, state };
}

const results = [];
for (const [kind, storageOf] of [['memory', () => new MemoryStorage()], ['files', (name) => new FileStorage({ basePath: join(process.cwd(), name) })]]) {
  results.push({ kind, with: await run(storageOf('with'), { sent: true }), without: await run(storageOf('without'), undefined) });
}
console.log('expected: a handler that did not throw is done: one mail, completed, whatever it returned');
for (const { kind, with: returned, without } of results) {
  console.log(`seen:     ${kind}: returned { sent: true }: ${returned.mails} mail, ${returned.state}; returned nothing: ${without.mails} mails, ${without.state}`);
}

const holds = results.every(
  ({ with: returned, without }) => returned.mails === 1 && returned.state === 'completed' && without.mails === 3 && without.state === 'failed',
);
if (!holds) console.log('CHANGED: a handler may return nothing');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 40 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 40 seconds' >&2; exit 3; }
exit "$code"
