#!/usr/bin/env bash
# @sapphire/snowflake 3.5.5: of two ids that one generator makes one after the other, the later one can be the smaller one.
#
# What: an id is the millisecond, and below it a counter of twelve bits. The counter is not set back when a new millisecond begins, nor
# does it wait at its end: it runs on and wraps every 4,096 ids, in the middle of whatever millisecond it is. 4,095, then 0.
# Why it hurts: "give me all after the last id that I have seen" passes over the second of the two for good, a log sorted by id has effect
# before cause, and an insert at the end is one in the middle. At any rate that puts two ids into one millisecond it comes once in 4,096
# ids; a test of a thousand never sees it.
# Who should care: who pages, replays or orders by these ids. They are unique, up to 4,096 in a millisecond, but not increasing.
# Source: src/lib/Snowflake.ts (generate: the increment is masked and never compared with the last timestamp).
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  @sapphire/snowflake@3.5.5 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { Snowflake } from '@sapphire/snowflake';

const { version } = JSON.parse(readFileSync('node_modules/@sapphire/snowflake/package.json', 'utf8'));
console.log(`@sapphire/snowflake@${version}, node ${process.version}`);

const COUNT = 1_000_000;
const snowflake = new Snowflake(new Date('2026-01-01T00:00:00Z'));
let last = snowflake.generate();
let backwards = 0;
let example;
for (let made = 1; made < COUNT; made += 1) {
  const id = snowflake.generate();
  if (id < last) {
    backwards += 1;
    const [first, second] = [last, id].map((one) => snowflake.deconstruct(one));
    example ??= `${first.timestamp - first.epoch} ms, ${first.increment}, then ${second.timestamp - second.epoch} ms, ${second.increment}`;
  }
  last = id;
}

console.log('expected: one generator, one process: each id is larger than the one before');
console.log(`seen:     of ${COUNT} ids ${backwards} are smaller than the one before: ${example}`);

// It wraps some 244 times in a million, and nearly always within a millisecond, at this rate.
const holds = backwards > 10;
if (!holds) console.log('CHANGED: ids increase');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
