#!/usr/bin/env bash
# plainjob 0.0.14: a job that is scheduled by cron is run at once, the first time it is scheduled, and a changed cron expression does not change its next run.
#
# What: the row of a new schedule has 0 as its next run, so that the next worker that looks takes it as overdue, whatever the expression says. Where the row is there already
# only the expression is replaced; the next run stays the one of the old expression, be it a month away.
# Why it hurts: the deployment that brings the monthly invoices sends them, on the day of the deployment, and once more on the first. The correction from monthly to hourly
# does nothing for a month.
# Who should care: who schedules what must not be done an extra time. A look at the date within the job is what is left.
# Source: the package's schedule() (nextRunAt: 0; updateScheduledJobCronExpression sets one column); its readme has the call and says nothing of either. SQLite here is libsql,
# which has the interface of better-sqlite3 and comes as a built package.
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

const logger = { error() {}, warn() {}, info() {}, debug() {} };
const queue = defineQueue({ connection: better(new Database('jobs.db')), logger });
let runs = 0;
const worker = defineWorker('invoices', async () => (runs += 1), { queue, pollIntervall: 50, logger });

// Half a year from now: neither expression is due while this runs.
const month = ((new Date().getMonth() + 6) % 12) + 1;
queue.schedule('invoices', { cron: `0 3 1 ${month} *` });
void worker.start();
await sleep(1_000);
const before = runs;
const nextRun = () => queue.getScheduledJobs()[0].nextRunAt;
const yearly = nextRun();
queue.schedule('invoices', { cron: '0 * * * *' });
await sleep(500);
const changed = nextRun();
await worker.stop();
queue.close();

const daysAway = (time) => Math.round((time - Date.now()) / (24 * 60 * 60 * 1_000));
console.log('expected: no run within a second, for months to come; within the hour once it is changed to hourly');
console.log(`seen:     ${before} run within a second, the next one in ${daysAway(yearly)} days; changed to hourly: the next one in ${daysAway(changed)} days`);
const holds = before === 1 && runs === 1 && yearly === changed && daysAway(changed) > 100;
if (!holds) console.log('CHANGED: a schedule is kept from its beginning');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
