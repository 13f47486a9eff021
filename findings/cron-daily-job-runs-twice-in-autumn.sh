#!/usr/bin/env bash
# cron 4.4.0: in the night in which summer time ends, a daily job in the hour after the one that comes twice runs an hour early, and again at its time; croner, node-cron and node-schedule run it once.
#
# What: "30 2 * * *" in New York, "30 3 * * *" in Berlin. onTick is called when the clock says 1:30 (2:30) for the second time, and once more at 2:30 (3:30). "0 */2 * * *" has a run at 1:00 then; "30 1 * * *", whose time comes twice
# itself, runs once. Nothing shows it on the other 364 days, nor in a test without that date.
# Why it hurts: these are the hours of nightly work: what bills, pays out, closes a day or deletes by age is made twice within an hour, and the first time while it is not yet the time for it. In UTC nothing happens.
# Who should care: who gives CronJob a `timeZone` with summer time, and a job at 2 (America) or 3 (most of Europe). Make the job idempotent by its day, take another hour, or another package.
# Source: dist/time.js, getNextDateFrom(); the README says nothing of summer time. The clock of the test is @sinonjs/fake-timers.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error cron@4.4.0 croner@11.0.1 node-cron@4.6.0 node-schedule@2.1.1 @sinonjs/fake-timers@15.5.0 luxon@3.7.2 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import FakeTimers from '@sinonjs/fake-timers';
import { CronJob } from 'cron';
import { Cron } from 'croner';
import { DateTime } from 'luxon';
import nodeCron from 'node-cron';
import schedule from 'node-schedule';

const versionOf = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;

/** How each package starts a job, and what stops it. */
const starts = {
  cron(expression, zone, run) {
    const job = CronJob.from({ cronTime: expression, timeZone: zone, onTick: run, start: true });
    return () => job.stop();
  },
  croner(expression, zone, run) {
    const job = new Cron(expression, { timezone: zone }, run);
    return () => job.stop();
  },
  'node-cron'(expression, zone, run) {
    const job = nodeCron.schedule(expression, run, { timezone: zone });
    return () => job.destroy();
  },
  'node-schedule'(expression, zone, run) {
    const job = schedule.scheduleJob({ rule: expression, tz: zone }, run);
    return () => job.cancel();
  },
};

/** When a job runs in the 24 hours from noon of `day` on. */
async function night(name, expression, zone, day) {
  const noon = DateTime.fromISO(`${day}T12:00`, { zone });
  const clock = FakeTimers.install({ now: noon.toMillis(), toFake: ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  const runs = [];
  const stop = starts[name](expression, zone, () => runs.push(DateTime.now().setZone(zone).toFormat('HH:mm ZZ')));
  await clock.tickAsync(24 * 3_600_000);
  await stop();
  clock.uninstall();
  return runs.join(' and ') || 'never';
}
const nights = [
  ['30 2 * * *', 'America/New_York', '2026-10-30'],
  ['30 2 * * *', 'America/New_York', '2026-10-31'],
  ['30 3 * * *', 'Europe/Berlin', '2026-10-24'],
];
const seen = [];
for (const name of Object.keys(starts)) {
  const runs = [];
  for (const [expression, zone, day] of nights) runs.push(await night(name, expression, zone, day));
  seen.push({ name, runs });
}
console.log(`${Object.keys(starts).map((name) => `${name}@${versionOf(name)}`).join(', ')}, node ${process.version}`);
console.log('expected: a daily job runs once in each night, also in the one in which summer time ends (New York: from October 31, Berlin: from October 24, 2026)');
seen.forEach(({ name, runs }, index) => {
  const each = nights.map(([expression, zone, day], at) => `${expression} in ${zone.split('/')[1].replace('_', ' ')}, night of ${day}: ${runs[at]}`);
  console.log(`${index === 0 ? 'seen:     ' : '          '}${name}: ${each.join('; ')}`);
});
const isOnce = (runs) => !runs.includes(' and ');
const [cron, ...others] = seen;
const holds = isOnce(cron.runs[0]) && !isOnce(cron.runs[1]) && !isOnce(cron.runs[2]) && others.every(({ runs }) => runs.every(isOnce));
if (!holds) console.log('CHANGED: the job runs once, or another package runs it twice');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 150 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 150 seconds' >&2; exit 3; }
exit "$code"
