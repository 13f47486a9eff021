#!/usr/bin/env bash
# @automerge/automerge 3.5.0: a counter drops the fraction of each step: ten times increment(0.5) is 0, and 0.5 within each change.
#
# What: counters are integers, says their documentation; increment() takes any number, cuts it towards zero without an error, and shows the sum with its fraction until
# the change ends. A counter that starts at 2.5 starts at 2. From 2^53 - 1 on its value is a BigInt, and increment() throws, by 1 as by 1n: it can never be changed again.
# Why it hurts: hours, litres and euros are counted as nothing while the code that adds them reads the right sum. Each replica agrees, so no merge ever shows it.
# Who should care: who counts anything but things. Count the smallest unit, or keep a map of entries and add them up.
# Source: the package's dist/counter.js (WriteableCounter.increment: this.value += delta beside context.increment) and its comment on Counter.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  @automerge/automerge@3.5.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import * as automerge from '@automerge/automerge';

const { version } = JSON.parse(readFileSync('node_modules/@automerge/automerge/package.json', 'utf8'));
console.log(`@automerge/automerge@${version}, node ${process.version}`);

const add = (document, delta, seen) =>
  automerge.change(document, (draft) => {
    draft.hours.increment(delta);
    seen?.push(draft.hours.value);
  });
let document = automerge.from({ hours: new automerge.Counter(0) });
const inside = [];
for (let count = 0; count < 10; count += 1) document = add(document, 0.5, inside);
const halves = document.hours.value;
document = add(document, 1.75, inside);
const more = document.hours.value;
const start = automerge.from({ hours: new automerge.Counter(2.5) }).hours.value;

let large = automerge.from({ hours: new automerge.Counter(0) });
large = add(large, Number.MAX_SAFE_INTEGER);
const answers = [1, 1n].map((delta) => {
  try {
    return String(add(large, delta).hours.value);
  } catch (error) {
    return error.constructor.name;
  }
});

console.log('expected: ten times 0.5 is 5, and 1.75 more 6.75; or an error');
console.log(`seen:     ${halves}, and ${more}; within the changes ${[...new Set(inside)].join(' and ')}; one that starts at 2.5: ${start}`);
console.log('expected: a counter at 2^53 - 1 can be raised');
console.log(`seen:     its value is a ${typeof large.hours.value}; by 1: ${answers[0]}, by 1n: ${answers[1]}`);

const isCut = halves === 0 && more === 1 && inside[0] === 0.5 && inside.at(-1) === 1.75 && start === 2;
const holds = isCut && answers.every((answer) => answer === 'TypeError');
if (!holds) console.log('CHANGED: a counter counts what it shows, or refuses it');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
