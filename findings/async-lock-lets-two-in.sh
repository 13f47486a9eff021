#!/usr/bin/env bash
# async-lock 1.5.0 with maxExecutionTime: when the time is over, the next one enters although the first is still inside.
#
# What: the option rejects the caller's promise and frees the key; the function that holds it is not, and cannot be, stopped. The next in the queue starts at once.
# Why it hurts: the option is turned on against jobs that hang, and it takes effect on jobs that are only slow: two are in the critical section, and the slow one, which
# was reported as failed, writes over the other's result.
# Who should care: who uses it around read, change, write. A time limit belongs into the job (AbortSignal), with the lock kept until the job has ended.
# Source: the package's readme on maxExecutionTime (the error is told of, the lock is not); lib/index.js, done.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  async-lock@1.5.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import AsyncLock from 'async-lock';

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
console.log(`async-lock@${version('async-lock')}, node ${process.version}`);

const lock = new AsyncLock({ maxExecutionTime: 50 });
let balance = 100;
let inside = 0;
let most = 0;
let letGo;
const slowStorage = new Promise((resolve) => (letGo = resolve));

/** Adds to the balance after waiting for something. */
const add = (amount, wait) => async () => {
  inside += 1;
  most = Math.max(most, inside);
  const read = balance;
  await wait;
  balance = read + amount;
  inside -= 1;
};

const slow = lock.acquire('account', add(10, slowStorage)).then(() => 'done', (error) => error.message.replace(/ in queue.*/, ''));
// Where the lock is kept, the second waits for the first, which goes on in any case.
const quick = lock.acquire('account', add(1)).then(() => 'done', (error) => error.message.replace(/ in queue.*/, ''));
const told = await slow;
await Promise.race([quick, new Promise((resolve) => setTimeout(resolve, 1_000))]);
letGo();
const second = await quick;
await new Promise(setImmediate);
console.log('expected: the second enters when the first has left: 111, or 101 if the first was stopped');
console.log(`seen:     first: ${told}; second: ${second}; at most ${most} inside at once; the balance is ${balance}`);

const holds = most === 2 && second === 'done' && balance === 110;
if (!holds) console.log('CHANGED: one at a time');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
