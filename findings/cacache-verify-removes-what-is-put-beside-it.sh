#!/usr/bin/env bash
# cacache 21.0.2: what is put while verify() runs is removed by it, content and entry, after put() had resolved: some of each few dozen are gone.
#
# What: verify() reads the index, and then lists the contents: what was put in between belongs to no entry that it knows, and is deleted. Then it writes the index anew, and leaves out the entry whose content is missing. It counts it
# among what it reclaimed.
# Why it hurts: put() resolves when the content and the entry are on disk, and the package calls its cache lockless and highly concurrent: nothing says that verify() wants it alone. What was acknowledged is then ENOENT. Where
# it is a cache, it is fetched again; where it is the one copy, by its integrity, it is lost.
# Who should care: who runs verify() by the clock beside programs that put (`npm cache verify` beside `npm ci` is the same). Take a lock of your own around both, or run it where nobody puts.
# Source: lib/verify.js, garbageCollect() and rebuildIndex(). It wants Node 22 or later; what is used here runs on 20 as well.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error cacache@21.0.2 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import cacache from 'cacache';

const { version } = JSON.parse(readFileSync('node_modules/cacache/package.json', 'utf8'));
const cache = `${process.cwd()}/cache`;
for (let n = 0; n < 300; n += 1) await cacache.put(cache, `old ${n}`, `old content ${n}`);

/** Puts one entry after the other while `meanwhile` runs: how many there were, and how many cannot be read afterwards. */
async function putBeside(name, meanwhile) {
  const keys = [];
  let isOver = false;
  async function write() {
    for (let n = 0; !isOver || n < 30; n += 1) {
      const key = `${name} ${n}`;
      await cacache.put(cache, key, `content of ${key}`);
      keys.push(key);
    }
  }
  const written = write();
  await meanwhile();
  isOver = true;
  await written;
  let lost = 0;
  let entries = 0;
  for (const key of keys) {
    if (await cacache.get.info(cache, key)) entries += 1;
    await cacache.get(cache, key).catch(() => (lost += 1));
  }
  return { put: keys.length, lost, entries };
}
const alone = await putBeside('alone', async () => {});
let beside = { lost: 0 };
for (let tries = 0; tries < 20 && beside.lost === 0; tries += 1) beside = await putBeside(`beside ${tries}`, () => cacache.verify(cache));
const old = Object.keys(await cacache.ls(cache)).filter((key) => key.startsWith('old')).length;

console.log(`cacache@${version}, node ${process.version}`);
console.log('expected: what put() has acknowledged can be read, whether verify() runs beside it or not');
console.log(`seen:     without verify(): ${alone.put} put, ${alone.lost} lost`);
console.log(`          beside verify(): ${beside.put} put, ${beside.lost} lost, ${beside.entries} have an entry; of 300 that were there before it ${old} are`);
const holds = alone.lost === 0 && beside.lost > 0 && old === 300;
if (!holds) console.log('CHANGED: verify() leaves what is put beside it');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 90 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 90 seconds' >&2; exit 3; }
exit "$code"
