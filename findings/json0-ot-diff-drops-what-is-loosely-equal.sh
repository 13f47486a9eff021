#!/usr/bin/env bash
# json0-ot-diff 1.1.2: between 1 and true, "5" and 5, or null and nothing there is no operation: the change is left out, and others of the same document are made.
#
# What: values are compared as == does, so that what is another JSON text may be no change, and a field or an item that is null is taken for an absent one, both when it comes and when it goes.
# The operations that are returned are valid, and a document of ShareDB takes them.
# Why it hurts: who edits a copy and submits the difference is acknowledged, and his replica shows what it shows; the server and all other clients have the old value, and nobody is told.
# A field that is set to null to clear it is not cleared where it was absent, and one that is deleted stays.
# Who should care: who feeds ShareDB, or another log of json0, by differences. Compute them with rfc6902 or jsondiffpatch, or compare the document afterwards.
# Source: json0-ot-diff's index.js (deep-equal without strict, and the looks for null), its README (operations for transforming the first object into the second).
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  json0-ot-diff@1.1.2 ot-json0@1.1.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import json0 from 'ot-json0';
import difference from 'json0-ot-diff';

const { version } = JSON.parse(readFileSync('node_modules/json0-ot-diff/package.json', 'utf8'));
console.log(`json0-ot-diff@${version}, node ${process.version}`);

const pairs = [
  [{ paid: 1 }, { paid: 2 }],
  [{ paid: 1 }, { paid: true }],
  [{ paid: '5' }, { paid: 5 }],
  [{ owner: null, n: 1 }, { n: 1 }],
  [{ n: 1 }, { owner: null, n: 1 }],
  [[1], [1, null]],
  [{ n: 1, paid: 0 }, { n: 2, paid: false }],
];
const results = pairs.map(([from, to]) => JSON.stringify(json0.type.apply(structuredClone(from), difference(structuredClone(from), structuredClone(to)))));
console.log('expected: the operations lead from the one document to the other');
pairs.forEach(([from, to], index) => console.log(`seen:     from ${JSON.stringify(from)} to ${JSON.stringify(to)}: ${results[index]}`));

const wanted = ['{"paid":2}', '{"paid":1}', '{"paid":"5"}', '{"owner":null,"n":1}', '{"n":1}', '[1]', '{"n":2,"paid":0}'];
// The order of the fields says nothing.
const sorted = (text) => JSON.stringify(Array.isArray(JSON.parse(text)) ? JSON.parse(text) : Object.entries(JSON.parse(text)).sort());
const holds = results.every((text, index) => sorted(text) === sorted(wanted[index]));
if (!holds) console.log('CHANGED: the operations lead to the document');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
