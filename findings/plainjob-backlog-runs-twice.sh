#!/usr/bin/env bash
# plainjob 0.0.14: a job that waited longer than the timeout is run twice at once: its time is counted from when it was due, not from when it was started.
#
# What: timeout (30 minutes unless set) is there to queue a job again whose worker died. The table has no time of the start; the maintenance, once a minute, compares the
# time at which the job was due. After a backlog longer than the timeout each job that is at work when the maintenance comes is queued again and given to the next worker.
# Why it hurts: a night without workers, or a queue that cannot keep up, is enough: from then on every job that takes longer than the rest of a minute is done twice, a few
# seconds old, while its first run goes on. More runs make the backlog longer.
# Who should care: whoever has jobs that must not be done twice at the same time. A delay of its own does not help: it is counted from the end of the delay.
# Source: the package's requeueTimedOutJobs (status Processing and next_run_at before now - timeout); the readme says of it "Re-queue jobs if a worker dies". SQLite here
# is libsql, which has the interface of better-sqlite3 and comes as a built package.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error --legacy-peer-deps plainjob@0.0.14 libsql@0.5.29 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'libsql';
import { better, defineQueue, defineWorker } from 'plainjob';

const { version } = JSON.parse(readFileSync('node_modules/plainjob/package.json', 'utf8'));
console.log(`plainjob@${version}, node ${process.version}`);

const TIMEOUT_MS = 4_000;
const JOB_MS = 1_500;
const logger = { error() {}, warn() {}, info() {}, debug() {} };

/** How often a job of 1.5 seconds is run by two workers, and how many runs there were at once, after it has waited. */
async function run(name, waitsMs) {
  const connection = better(new Database(`${name}.db`));
  const queue = defineQueue({ connection, timeout: TIMEOUT_MS, maintenanceInterval: 200, logger });
  queue.add('invoice', { number: 1 });
  await sleep(waitsMs);
  let [runs, atWork, mostAtWork] = [0, 0, 0];
  const handler = async () => {
    runs += 1;
    atWork += 1;
    mostAtWork = Math.max(mostAtWork, atWork);
    await sleep(JOB_MS);
    atWork -= 1;
  };
  const workers = [1, 2].map(() => defineWorker('invoice', handler, { queue, pollIntervall: 50, logger }));
  for (const worker of workers) void worker.start();
  await sleep(JOB_MS + 500);
  await Promise.all(workers.map((worker) => worker.stop()));
  while (atWork > 0) await sleep(50);
  await sleep(100);
  queue.close();
  return { runs, mostAtWork };
}

const fresh = await run('fresh', 0);
const waited = await run('waited', TIMEOUT_MS + 500);
console.log(`expected: a job of ${JOB_MS} ms, with a timeout of ${TIMEOUT_MS} ms, is run once`);
console.log(`seen:     added with workers there: ${fresh.runs} run; after ${TIMEOUT_MS + 500} ms without workers: ${waited.runs} runs, ${waited.mostAtWork} at once`);
const holds = fresh.runs === 1 && waited.runs > 1 && waited.mostAtWork === 2;
if (!holds) console.log('CHANGED: the timeout is counted from the start');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 40 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 40 seconds' >&2; exit 3; }
exit "$code"
