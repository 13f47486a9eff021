#!/usr/bin/env bash
# vectorclock 0.0.0 (some 9,000 downloads a month): the read repair of its own README drops the newest value.
#
# What: "concurrent" is 0 in the comparator, as is "equal", but unlike equality it does not carry over: a < c, while b is concurrent with
# both. Array.sort with such a comparator need not put c beside a: three clocks in an unlucky order stay as they came. The README sorts
# the replicas' answers in descending order, takes the first for the greatest, and keeps what is concurrent with it.
# Why it hurts: the value that was overwritten is kept and the one that overwrote it is dropped, by the order in which replicas answered.
# Tests with two replicas never see it; it takes three answers.
# Who should care: who sorts by vector clocks, with this or any other library: happened-before is a partial order, no sort key.
# Source: the package's readme.md, "Implementing read repair using vector clocks"; ECMA-262, Array.prototype.sort (consistent comparator).
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  vectorclock@0.0.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import VClock from 'vectorclock';

const { version } = JSON.parse(readFileSync('node_modules/vectorclock/package.json', 'utf8'));
console.log(`vectorclock@${version}, node ${process.version}`);

/** The steps of the README: sort, take the greatest, keep what is concurrent with it. */
function repair(answers) {
  const [greatest, ...others] = [...answers].sort(VClock.descSort);
  return [greatest, ...others.filter((other) => VClock.isConcurrent(other, greatest))];
}

const old = { value: 'old', clock: { a: 1 } };
const sibling = { value: 'sibling', clock: { b: 1 } };
const newest = { value: 'newest', clock: { a: 2 } };
const orders = [
  [newest, sibling, old],
  [old, sibling, newest],
];
const kept = orders.map((answers) => repair(answers).map(({ value }) => value));

console.log('expected: newest and its sibling are kept, old was overwritten by newest, in whatever order replicas answer');
orders.forEach((answers, number) => {
  console.log(`seen:     answers ${answers.map(({ value }) => value).join(', ')}: kept ${kept[number].join(', ')}`);
});

const holds = kept[0].includes('newest') && kept[1].includes('old') && !kept[1].includes('newest');
if (!holds) console.log('CHANGED: the newest value is kept in both orders');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
