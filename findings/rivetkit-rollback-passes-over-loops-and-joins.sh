#!/usr/bin/env bash
# @rivetkit/workflow-engine 2.3.19 (RivetKit, Rivet Workflows): when a workflow fails, what its steps did within loop(), join() or race() is not taken back, though each of them has a rollback.
#
# What: steps that follow each other are taken back by their `rollback`, the last one first, as the manual says. To find them the function is run through once more, without doing anything; a loop, a join and a race that have ended give
# their result at once then, and nobody looks at the steps in them. Those of a loop in which a step fails are forgotten, too, even those of the same round, with a checkpoint in it, and those of a join beside the branch that failed.
# Why it hurts: a saga is written for the day on which something fails. Three seats are paid in a loop, or the hotel beside the flight, and then the booking fails: the workflow ends as rolled back, no error is reported, and all stays paid.
# The manual's own example of a rollback, reserve and charge in "checkout-loop", is one that is never taken back. Out of the loop the same step is; a test with two steps in a row shows nothing.
# Who should care: who has rollback steps in RivetKit's workflows. Keep them at the top level, a step for each, or take back what was done in a step of one's own, by try().
# Source: src/context.ts, executeLoop(), executeJoin() and executeRace() in the mode "rollback"; src/index.ts, executeRollback(). The driver is the package's own one, in memory.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error @rivetkit/workflow-engine@2.3.19 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { CriticalError, Loop, runWorkflow } from '@rivetkit/workflow-engine';
import { InMemoryDriver } from '@rivetkit/workflow-engine/testing';

const { version } = JSON.parse(readFileSync('node_modules/@rivetkit/workflow-engine/package.json', 'utf8'));

/** A workflow that pays in one of several ways, and whose last step fails: what it has paid, and what of it was taken back. */
async function book(name, payAll) {
  const paid = [];
  const refunded = [];
  const pay = (ctx, what) =>
    ctx.step({
      name: `pay-${what}`,
      run: async () => {
        paid.push(what);
        return what;
      },
      rollback: async (_ctx, output) => {
        refunded.push(output);
      },
    });
  const fail = (ctx) =>
    ctx.step({
      name: 'confirm',
      run: async () => {
        throw new CriticalError('fully booked');
      },
    });
  const workflow = async (ctx) => {
    await ctx.rollbackCheckpoint('booking');
    await payAll(ctx, pay, fail);
    await fail(ctx);
  };
  const handle = runWorkflow(name, workflow, {}, new InMemoryDriver(), { mode: 'live' });
  const end = await handle.result.then(() => 'completed', (error) => `rejected, ${error.message}`);
  return { name, paid: paid.sort().join(' '), refunded: refunded.sort().join(' ') || 'nothing', end };
}

async function inARow(ctx, pay) {
  for (const seat of [1, 2, 3]) await pay(ctx, seat);
}
const inALoop = (ctx, pay) =>
  ctx.loop({
    name: 'seats',
    state: 1,
    run: async (round, seat) => {
      await pay(round, seat);
      return seat === 3 ? Loop.break(seat) : Loop.continue(seat + 1);
    },
  });
const whileTheLoopRuns = (ctx, pay, fail) =>
  ctx.loop({
    name: 'seats',
    state: 1,
    run: async (round, seat) => {
      if (seat === 4) await fail(round);
      await pay(round, seat);
      return Loop.continue(seat + 1);
    },
  });
const inTheRoundThatFails = (ctx, pay, fail) =>
  ctx.loop('checkout-loop', async (round) => {
    await round.rollbackCheckpoint('checkout');
    await pay(round, 'seat');
    await pay(round, 'meal');
    await fail(round);
  });
const branch = (pay, what) => ({ run: (ctx) => pay(ctx, what) });
const inAJoin = (ctx, pay) => ctx.join('trip', { flight: branch(pay, 'flight'), hotel: branch(pay, 'hotel') });
const besideAFailure = (ctx, pay, fail) => ctx.join('trip', { flight: branch(pay, 'flight'), hotel: { run: (beside) => fail(beside) } });
const inARace = (ctx, pay) =>
  ctx.race('trip', [
    { name: 'train', run: (train) => pay(train, 'train') },
    { name: 'late', run: (late) => late.sleep('wait', 60_000) },
  ]);

const row = await book('three steps in a row', inARow);
const others = [
  await book('in a loop that has ended', inALoop),
  await book('in a loop that fails in its fourth round', whileTheLoopRuns),
  await book('in the same round of a loop, with a checkpoint in it, as in the manual', inTheRoundThatFails),
  await book('in the branches of a join', inAJoin),
  await book('in a join whose other branch fails', besideAFailure),
  await book('in the branch that won a race', inARace),
];
console.log(`@rivetkit/workflow-engine@${version}, node ${process.version}`);
console.log('expected: when the last step of a workflow fails, each step before it that has a rollback is taken back');
console.log(`seen:     ${row.name}: paid ${row.paid}; taken back: ${row.refunded} (${row.end})`);
for (const { name, paid, refunded, end } of others) console.log(`          ${name}: paid ${paid}; taken back: ${refunded} (${end})`);
const isRight = row.paid === '1 2 3' && row.refunded === '1 2 3';
const holds = isRight && others.every(({ paid, refunded, end }) => paid !== '' && refunded === 'nothing' && end.startsWith('rejected'));
if (!holds) console.log('CHANGED: what was done in a loop, a join or a race is taken back');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 60 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 60 seconds' >&2; exit 3; }
exit "$code"
