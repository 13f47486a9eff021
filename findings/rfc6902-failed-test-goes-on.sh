#!/usr/bin/env bash
# rfc6902 5.4.0 and fast-json-patch 3.1.1 on a JSON Patch whose `test` fails.
#
# What: a patch that begins with a `test` of the version is the compare-and-set of JSON Patch. rfc6902 puts the failed test into the array
# that it returns, and applies the operations after it. fast-json-patch throws, but what came before the failed test stays applied to the
# document.
# Why it hurts: the guard guards nothing: a stale writer overwrites the document of another, and whoever does not look through the array
# of results never knows. With fast-json-patch the caller is told of a failure, and a cached document is half changed.
# Who should care: who offers optimistic concurrency over application/json-patch+json.
# Source: RFC 6902, section 5 (a failed operation ends the patch) and RFC 5789, section 2 (all or nothing); the README of rfc6902,
# applyPatch.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  rfc6902@5.4.0 fast-json-patch@3.1.1 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import fast from 'fast-json-patch';
import { applyPatch } from 'rfc6902';

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
console.log(`rfc6902@${version('rfc6902')}, fast-json-patch@${version('fast-json-patch')}, node ${process.version}`);

const guard = { op: 'test', path: '/version', value: 1 };
const write = { op: 'replace', path: '/owner', value: 'stale writer' };

const guarded = { version: 2, owner: 'bob' };
const results = applyPatch(guarded, [guard, write]);
console.log('expected: the version is 2, not 1: nothing after the test is applied, owner stays bob');
console.log(`seen:     rfc6902: owner ${guarded.owner}; results: ${results.map((error) => error?.name ?? 'ok').join(', ')}`);

const halfway = { version: 2, owner: 'bob' };
let thrown = 'nothing';
try {
  fast.applyPatch(halfway, [write, guard]);
} catch (error) {
  thrown = error.name;
}
console.log('expected: a patch that throws has changed nothing, owner stays bob');
console.log(`seen:     fast-json-patch: threw ${thrown}; owner ${halfway.owner}`);

const holds = guarded.owner === 'stale writer' && halfway.owner === 'stale writer' && thrown === 'TEST_OPERATION_FAILED';
if (!holds) console.log('CHANGED: one of the two now keeps the document as it was');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
