#!/usr/bin/env bash
# XState 5.33.3, Bottleneck 2.19.5, expiry-map 2.0.0, memory-cache 0.2.0: what is to last thirty days is over within a millisecond: a timer of the platform that is longer than 2^31 - 1 ms, 24.8 days, fires at once, and they hand it theirs.
#
# What: a state with `after` of thirty days is left at once; a job with `expiration` is rejected with "timed out after 2592000000 ms" while it is at work, and its place is given to the next one; a value with such a ttl is never found. With
# twenty days all is right. Nothing is thrown; Node prints a warning to stderr, browsers none.
# Why it hurts: trials, invoices, sessions, deduplication by an id last thirty days. The trial ends on the day it begins, the dunning letter goes out with the invoice, what was "seen already" is taken again; and tests use seconds.
# Who should care: whoever takes a time to live from a setting and gives it to a library. node-cache keeps no timer for a value, memoizee refuses; rxjs says in its documentation that its timers have a limit, the four here do not.
# Source: setTimeout(…, ms) in each; Node's documentation of setTimeout(): "when delay is larger than 2147483647 … it will be set to 1". p-memoize recommends expiry-map.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error xstate@5.33.3 bottleneck@2.19.5 expiry-map@2.0.0 memory-cache@0.2.0 node-cache@5.1.2 memoizee@0.4.17 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import Bottleneck from 'bottleneck';
import ExpiryMap from 'expiry-map';
import memoizee from 'memoizee';
import memoryCache from 'memory-cache';
import NodeCache from 'node-cache';
import { createActor, createMachine } from 'xstate';

process.removeAllListeners('warning');
const versionOf = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
const DAY_MS = 86_400_000;

/** What is left, half a second later, of what is to last some days; and how many jobs are at work where one may be. */
async function last(days) {
  const ms = days * DAY_MS;
  const trial = createActor(createMachine({ initial: 'trial', states: { trial: { after: { [ms]: 'ended' } }, ended: {} } })).start();
  const map = new ExpiryMap(ms);
  map.set('key', 'there');
  memoryCache.put('key', 'there', ms);
  const nodeCache = new NodeCache({ stdTTL: ms / 1_000, checkperiod: 0 });
  nodeCache.set('key', 'there');
  let memoized = 'there';
  try {
    memoizee(() => 1, { maxAge: ms })();
  } catch (error) {
    memoized = `refused, ${error.message}`;
  }
  const limiter = new Bottleneck({ maxConcurrent: 1 });
  let atWork = 0;
  let most = 0;
  const job = async () => {
    atWork += 1;
    most = Math.max(most, atWork);
    await sleep(200);
    atWork -= 1;
  };
  const jobs = [1, 2].map(() => limiter.schedule({ expiration: ms }, job).then(() => 'done', ({ message }) => message));
  await sleep(500);
  const [first] = await Promise.all(jobs);
  const left = { xstate: trial.getSnapshot().value, 'expiry-map': map.get('key') ?? 'gone', 'memory-cache': memoryCache.get('key') ?? 'gone', 'node-cache': nodeCache.get('key') ?? 'gone', memoizee: memoized };
  memoryCache.clear();
  trial.stop();
  return { ...left, bottleneck: `${first}; at work where one may be: ${most}` };
}
const twenty = await last(20);
const thirty = await last(30);
console.log(`node ${process.version}`);
console.log('expected: half a second later, what is to last twenty days, or thirty, is there');
const names = ['xstate', 'bottleneck', 'expiry-map', 'memory-cache', 'node-cache', 'memoizee'];
console.log(`seen:     ${names.map((name) => `${name}@${versionOf(name)}: twenty days: ${twenty[name]}; thirty: ${thirty[name]}`).join('\n          ')}`);
const isRight = twenty.xstate === 'trial' && twenty.bottleneck === 'done; at work where one may be: 1' && twenty['expiry-map'] === 'there' && twenty['memory-cache'] === 'there';
const isOver = thirty.xstate === 'ended' && thirty.bottleneck.startsWith('This job timed out') && thirty.bottleneck.endsWith('2') && thirty['expiry-map'] === 'gone' && thirty['memory-cache'] === 'gone';
const holds = isRight && isOver && thirty['node-cache'] === 'there' && thirty.memoizee.startsWith('refused');
if (!holds) console.log('CHANGED: thirty days last, or are refused');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
