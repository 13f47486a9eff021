#!/usr/bin/env bash
# @microsoft/durabletask-js 0.4.0: an event is given to the oldest wait for its name, also to one whose race was lost long ago: a loop that reminds, and waits again, is never approved.
#
# What: `const approval = ctx.waitForExternalEvent('approve'); const winner = yield whenAny([approval, ctx.createTimer(60)])`, and once more after a reminder. The wait of the first round is not over with the first round: it cannot be
# cancelled, and takes the event when it comes. The one that the loop waits for now stays as it was. An event that came before anybody waited is kept for the next wait, as it should be; one that came in the first round is seen.
# Why it hurts: the manager approves after the second reminder, raiseOrchestrationEvent() resolves, the history has the event, and the order is refused "for want of an answer". As many events have to be sent as rounds have gone by.
# Who should care: who waits for an event in a loop with a timer. Make the wait once, before the loop, and race the same task against each new timer; or one name for each round.
# Source: dist/worker/runtime-orchestration-context.js, waitForExternalEvent(); dist/worker/orchestration-executor.js, handleEventRaised(). The backend is the package's own one, in memory; its timers
# count from the start of the orchestration, so an activity ends the rounds here, and does the reminding.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error @microsoft/durabletask-js@0.4.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { InMemoryOrchestrationBackend, TestOrchestrationClient, TestOrchestrationWorker, whenAny } from '@microsoft/durabletask-js';

const { version } = JSON.parse(readFileSync('node_modules/@microsoft/durabletask-js/package.json', 'utf8'));
const backend = new InMemoryOrchestrationBackend();
const client = new TestOrchestrationClient(backend);
const worker = new TestOrchestrationWorker(backend);
const ROUNDS = 4;
/** What ends the present round of each orchestration: "remind him, and ask again". */
const endRound = new Map();

async function remind(_ctx, id) {
  await new Promise((resolve) => endRound.set(id, resolve));
}
/** Waits anew in each round, as one would write it. */
async function* waitInEachRound(ctx) {
  for (let round = 1; round <= ROUNDS; round += 1) {
    const approval = ctx.waitForExternalEvent('approve');
    const winner = yield whenAny([approval, ctx.callActivity(remind, ctx.instanceId)]);
    if (winner === approval) return `approved in round ${round}`;
  }
  return 'never approved';
}
/** Waits once, and races that in each round. */
async function* waitOnce(ctx) {
  const approval = ctx.waitForExternalEvent('approve');
  for (let round = 1; round <= ROUNDS; round += 1) {
    const winner = yield whenAny([approval, ctx.callActivity(remind, ctx.instanceId)]);
    if (winner === approval) return `approved in round ${round}`;
  }
  return 'never approved';
}
async function remindOnce(id) {
  while (!endRound.has(id)) await sleep(20);
  const end = endRound.get(id);
  endRound.delete(id);
  end();
  await sleep(200);
}
/** What an orchestration ends with that is approved after so many reminders, and then reminded until it ends. */
async function approveAfter(orchestrator, count) {
  const id = await client.scheduleNewOrchestration(orchestrator);
  for (let reminders = 0; reminders < count; reminders += 1) await remindOnce(id);
  while (!endRound.has(id)) await sleep(20);
  await client.raiseOrchestrationEvent(id, 'approve', { by: 'ann' });
  const reminding = sleep(500).then(async () => {
    for (let round = count; round < ROUNDS; round += 1) await remindOnce(id);
  });
  reminding.catch(() => {});
  const state = await client.waitForOrchestrationCompletion(id, true, 30);
  return JSON.parse(state.serializedOutput);
}
// The worker tells each step of its work on the console.
const { log } = console;
for (const level of ['log', 'info', 'debug', 'warn']) console[level] = () => {};
worker.addActivity(remind);
for (const orchestrator of [waitInEachRound, waitOnce]) worker.addOrchestrator(orchestrator);
await worker.start();
const first = await approveAfter(waitInEachRound, 0);
const second = await approveAfter(waitInEachRound, 1);
const third = await approveAfter(waitInEachRound, 2);
const once = await approveAfter(waitOnce, 2);
log(`@microsoft/durabletask-js@${version}, node ${process.version}`);
log('expected: who approves after the second reminder, of three, is heard in the third round');
log(`seen:     approved before the first reminder: ${first}; after the first: ${second}; after the second: ${third}`);
log(`          with one wait, made before the loop, after the second reminder: ${once}`);
const isRight = first === 'approved in round 1' && once === 'approved in round 3';
const holds = isRight && second === 'never approved' && third === 'never approved';
if (!holds) log('CHANGED: the wait of now gets the event');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 60 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 60 seconds' >&2; exit 3; }
exit "$code"
