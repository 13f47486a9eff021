#!/usr/bin/env bash
# json-diff-ts 4.10.4: revertChangeset() of a change that added two items to a list takes one of them back only; a number in a list of `$value` is not removed by applyChangeset().
#
# What: without a key the items of a list are told by their index. A revert removes them one after the other, from the lowest index on, and each removal moves the rest, so that
# the next index is behind the end or that of another item. With `$value` the changeset has a number as text, and the search for it compares by ===.
# Why it hurts: an undo, or a rollback of an update that was refused, leaves a state that nobody ever had, and the next changeset is computed from it. One item, the case that is tried, is taken
# back, and applyChangeset() is right for every list of this script without keys.
# Who should care: who undoes by changesets, or sends them between replicas. Give lists of objects a key by embeddedObjKeys, or compute the changeset of the way back.
# Source: src/jsonDiff.ts (revertChangeset, revertArrayChange, removeKey), README ("Apply or revert changes to JSON objects").
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  json-diff-ts@4.10.4 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { applyChangeset, diff, revertChangeset } from 'json-diff-ts';

const { version } = JSON.parse(readFileSync('node_modules/json-diff-ts/package.json', 'utf8'));
console.log(`json-diff-ts@${version}, node ${process.version}`);
const warnings = [];
console.warn = console.error = (text) => warnings.push(text);

const copy = structuredClone;
const changes = (from, to, options) => diff({ list: copy(from) }, { list: copy(to) }, options);
const apply = (from, to, options) => applyChangeset({ list: copy(from) }, changes(from, to, options)).list;
const revert = (from, to, options) => revertChangeset({ list: copy(to) }, changes(from, to, options)).list;

/** All lists of up to four of three items. */
const lists = [[]];
for (let at = 0; at < lists.length; at += 1) {
  if (lists[at].length < 4) for (const item of ['a', 'b', 'c']) lists.push([...lists[at], item]);
}
const pairs = lists.flatMap((from) => lists.map((to) => [from, to]));
const wrong = (way, target) => pairs.filter(([from, to]) => !isDeepStrictEqual(way(from, to), target(from, to))).length;
const wrongApplied = wrong(apply, (_, to) => to);
const wrongReverted = wrong(revert, (from) => from);

const one = revert([], ['a']);
const two = revert([], ['a', 'b']);
const people = [{ id: 1, name: 'ann' }, { id: 2, name: 'bob' }];
const withoutKey = revert([], people);
const withKey = revert([], people, { embeddedObjKeys: { list: 'id' } });
warnings.length = 0;
const texts = apply(['7', '8'], ['8'], { embeddedObjKeys: { list: '$value' } });
const numbers = apply([7, 8], [8], { embeddedObjKeys: { list: '$value' } });

const show = JSON.stringify;
console.log('expected: what is reverted is as it was before, what is applied is as it is after');
console.log(`seen:     one item added, and reverted: ${show(one)}; two: ${show(two)}; two objects: ${show(withoutKey)}, with a key ${show(withKey)};`);
console.log(`          of ${pairs.length} pairs of lists ${wrongApplied} are applied wrongly, and ${wrongReverted} reverted wrongly;`);
console.log(`          by $value, ["7","8"] to ["8"]: ${show(texts)}; [7,8] to [8]: ${show(numbers)}, with ${warnings.length} warning on the console`);

const holds = one.length === 0 && two.length === 1 && withoutKey.length === 1 && withKey.length === 0 && wrongApplied === 0 && wrongReverted > 500 && show(texts) === '["8"]' && show(numbers) === '[7,8]';
if (!holds) console.log('CHANGED: lists are reverted, or numbers are removed by $value');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 60 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 60 seconds' >&2; exit 3; }
exit "$code"
