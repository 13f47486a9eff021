#!/usr/bin/env bash
# json-merge-patch 1.0.2 (some 950,000 downloads a month) on two ordinary merge patches.
#
# What: apply() stops at a key named `constructor` or `prototype`, without an error: what comes after it in the patch is not applied, what
# came before it is. merge() combines two arrays element by element, where RFC 7396 replaces an array as a whole.
# Why it hurts: a PATCH is answered 200 with half of it applied, and which half follows the order of keys in the text. A log of patches
# that is compacted with merge() replays to another document than the patches one by one: replicas differ.
# Who should care: who stores patches, or answers PATCH with application/merge-patch+json.
# Source: RFC 7396, section 2; lib/apply.js and lib/merge.js of the package.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  json-merge-patch@1.0.2 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import patches from 'json-merge-patch';

const { version } = JSON.parse(readFileSync('node_modules/json-merge-patch/package.json', 'utf8'));
console.log(`json-merge-patch@${version}, node ${process.version}`);

const show = JSON.stringify;
const applied = patches.apply({ year: 2025 }, { team: 'red', constructor: 'Acme', year: 2026 });
console.log('expected: team red, constructor Acme, year 2026 (RFC 7396), or an error');
console.log(`seen:     ${show(applied)}, and no error`);

const first = { tags: ['a', 'b', 'c'] };
const second = { tags: ['z'] };
const oneByOne = patches.apply(patches.apply({}, first), second);
const compacted = patches.apply({}, patches.merge(first, second));
console.log(`expected: merged patches do what the two do one by one: ${show(oneByOne)}`);
console.log(`seen:     ${show(compacted)}`);

const holds = applied.team === 'red' && applied.year === 2025 && show(compacted) === '{"tags":["z","b","c"]}';
if (!holds) console.log('CHANGED: json-merge-patch no longer does this');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
