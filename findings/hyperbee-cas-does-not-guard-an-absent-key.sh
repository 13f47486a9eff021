#!/usr/bin/env bash
# hyperbee 2.27.3: put with cas writes where the key is absent, without asking cas; and a put that cas refused resolves as one that wrote.
#
# What: cas is called with the entry that is there. Where there is none it is not called, and the put is made. Whether it was made is told
# by nothing: put resolves with undefined either way.
# Why it hurts: a lease renewed by "only if it is still mine" comes back after it was deleted: whoever revoked it is overruled by the
# renewal. And of three that claim a slot with "only if it is free" all three are answered alike; the two that did not get it go on.
# Who should care: who guards writes with cas. Read after the put, by seq and value, and keep a value such as "revoked" instead of deleting.
# Source: index.js (Batch.put: cas is asked where the key was found in a node); the README on compare and swap.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  hyperbee@2.27.3 hypercore@11.39.5 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import Hypercore from 'hypercore';
import Hyperbee from 'hyperbee';

const { version } = JSON.parse(readFileSync('node_modules/hyperbee/package.json', 'utf8'));
console.log(`hyperbee@${version}, node ${process.version}`);

const bee = new Hyperbee(new Hypercore('./core'), { keyEncoding: 'utf-8', valueEncoding: 'json' });
await bee.ready();
const valueOf = async (key) => (await bee.get(key))?.value ?? 'absent';

await bee.put('slot', 'free');
const claims = await Promise.all(['ann', 'bob', 'cy'].map((name) => bee.put('slot', name, { cas: ({ value }) => value === 'free' }).then(String)));
const slot = await valueOf('slot');

await bee.put('lease', 'ann');
await bee.del('lease');
let asked = 0;
const stillMine = (entry) => {
  asked += 1;
  return entry?.value === 'ann';
};
await bee.put('lease', 'ann', { cas: stillMine });
const lease = await valueOf('lease');
await bee.close();

console.log('expected: three claims of one slot: one is told that it was made, two that they were not');
console.log(`seen:     ${claims.join(', ')}; slot: ${slot}`);
console.log('expected: a put that is to be made only if the lease is still ann\'s is not made once it was deleted');
console.log(`seen:     cas was called ${asked} times; lease: ${lease}`);

const holds = claims.every((answer) => answer === 'undefined') && slot === 'ann' && asked === 0 && lease === 'ann';
if (!holds) console.log('CHANGED: cas guards an absent key, or put tells what it did');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 40 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 40 seconds' >&2; exit 3; }
exit "$code"
