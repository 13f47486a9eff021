#!/usr/bin/env bash
# @platformatic/job-queue 0.5.0: a job that stalls is given out again for ever, each time as its first attempt, whatever maxAttempts says.
#
# What: the Reaper puts the message of a stalled job back as it was; the count of attempts in it is raised by a handler that throws, and by nothing else. So each of
# its runs is attempt 1, and neither maxAttempts nor the number of workers that it has taken down ends it. A job that is only slow is started anew beside itself.
# Why it hurts: the job that kills its worker (out of memory, a native crash) is the one that maxAttempts is there for: it takes down one worker after the other. One that
# takes longer than visibilityTimeout has its side effects at every interval, with ever more copies at work, while job.attempts and getStatus show nothing of it.
# Who should care: who runs the Reaper, as the manual says to with more than one worker. Count the starts of a job in a place of one's own.
# Source: dist/reaper.js (#recoverStalledJob requeues jobMessage unchanged), dist/consumer.js (attempts: currentAttempts in the catch only); the readme on maxRetries.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  @platformatic/job-queue@0.5.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { MemoryStorage, Queue, Reaper } from '@platformatic/job-queue';

const { version } = JSON.parse(readFileSync('node_modules/@platformatic/job-queue/package.json', 'utf8'));
console.log(`@platformatic/job-queue@${version}, node ${process.version}`);

const VISIBILITY_MS = 200;
const STARTS = 10;

/** How often a job with three attempts was started until it failed, or STARTS times; and what the last start and the queue say of it. */
async function count(job) {
  const storage = new MemoryStorage();
  await storage.connect();
  const queue = new Queue({ storage, blockTimeout: 1, visibilityTimeout: VISIBILITY_MS, concurrency: STARTS + 1 });
  const reaper = new Reaper({ storage, visibilityTimeout: VISIBILITY_MS });
  const attempts = [];
  let end;
  const ended = new Promise((resolve) => (end = resolve));
  queue.on('failed', () => end());
  queue.execute((started) => {
    attempts.push(started.attempts);
    if (attempts.length === STARTS) end();
    return job();
  });
  await reaper.start();
  await queue.start();
  await queue.enqueue('job', {}, { maxAttempts: 3 });
  await Promise.race([ended, sleep(STARTS * VISIBILITY_MS * 4)]);
  const { state } = await queue.getStatus('job');
  await reaper.stop();
  return { starts: attempts.length, attempts: attempts.join(' '), state };
}

const thrown = await count(() => Promise.reject(new Error('no')));
const stalled = await count(() => new Promise(() => {}));
console.log('expected: maxAttempts: 3 ends a job after three starts: one that throws, and one that stalls');
console.log(`seen:     one that throws: ${thrown.starts} starts, ${thrown.state}; job.attempts: ${thrown.attempts}`);
console.log(`          one that stalls: ${stalled.starts} starts, ${stalled.state}, and it would go on; job.attempts: ${stalled.attempts}`);

const isKept = thrown.starts === 3 && thrown.state === 'failed';
const holds = isKept && stalled.starts === STARTS && stalled.state !== 'failed' && /^[1 ]+$/.test(stalled.attempts);
if (!holds) console.log('CHANGED: a stalled job uses up its attempts');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 40 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 40 seconds' >&2; exit 3; }
exit "$code"
