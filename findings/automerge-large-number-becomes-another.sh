#!/usr/bin/env bash
# @automerge/automerge 3.5.0: a number above 9.2e18 is stored as 9223372036854775807, and one from 2^53 - 1 on is read as a BigInt.
#
# What: a number without a fraction is stored as an integer of 64 bits, and what is larger becomes the largest of them, without an error: 1e20 and 1e300 are one number.
# Those below -2^63 are kept as they are. Integers from 2^53 - 1 on come back as a BigInt, also within the change that wrote them; Number.MAX_SAFE_INTEGER is one.
# Why it hurts: amounts in the smallest unit (1e20 is a hundred of a coin with 18 places), hashes as numbers, "infinite" limits such as Number.MAX_VALUE are another value
# after the assignment, on all replicas alike. And document.limit + 1 or JSON.stringify(document) throws where the limit was a number when it was written.
# Who should care: who keeps large numbers in a document. Store them as text.
# Source: seen by running it; the manual's page on the document data model (doubles, integers with a sign and without).
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

const written = [10, Number.MAX_SAFE_INTEGER, 1e19, 1e20, 1e300, Number.MAX_VALUE, -1e20, 1e20 / 3];
const document = automerge.load(automerge.save(automerge.from({ written })));
const read = [...document.written];
const show = (value) => (typeof value === 'bigint' ? `${value}n` : String(value));
console.log('expected: a number that was written is read as that number');
written.forEach((value, at) => console.log(`seen:     ${show(value)} -> ${show(read[at])}`));

const LARGEST = 2n ** 63n - 1n;
const [small, safe, ...large] = read;
const isCut = [0, 1, 2, 3, 5].every((at) => large[at] === LARGEST);
const holds = small === 10 && safe === BigInt(Number.MAX_SAFE_INTEGER) && isCut && large[4] === -1e20;
if (!holds) console.log('CHANGED: large numbers are kept');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
