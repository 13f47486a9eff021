#!/usr/bin/env bash
# @loro-dev/flock 4.5.1: a later put() loses against an earlier one of another replica, if it writes the value that is there: it is not recorded, and keeps the time of the first one. The same for a second delete().
#
# What: put() of the value that a key has, and delete() of a key that is deleted, do nothing; the time given with them is dropped. What somebody else wrote in between, and is not here yet, is then the later one.
# Why it hurts: to write what is there is how one says that it is still so: a lease that is renewed, a switch that is set to "on" once more, "approved" again after a change of the text. The one who spoke last, by the
# clock of the protocol itself, is overruled, everywhere, by what was written before. A test that writes another value each time does not see it.
# Who should care: leases, presence, settings in Flock. Put a time, or a number, into the value, so that it differs.
# Source: scan() shows the time of each entry; its readme says of put(): "write a JSON value. The optional now overrides the physical time", and of a bundle: "composite keys to last-writer metadata".
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error @loro-dev/flock@4.5.1 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { Flock } from '@loro-dev/flock';

const { version } = JSON.parse(readFileSync('node_modules/@loro-dev/flock/package.json', 'utf8'));
const key = ['alarm'];

/** What both have after ann wrote at 3 s, and bob at 2 s, without having seen each other, and exchanged everything. */
function exchange(begin, bobs, anns) {
  const [ann, bob] = [new Flock('ann'), new Flock('bob')];
  begin(ann, 1_000);
  bob.importJson(ann.exportJson());
  bobs(bob, 2_000);
  anns(ann, 3_000);
  ann.importJson(bob.exportJson(ann.version()));
  bob.importJson(ann.exportJson(bob.version()));
  return [ann, bob].map((doc) => doc.get(key) ?? 'deleted').join(' and ');
}
const put = (value) => (doc, now) => doc.put(key, value, now);
const remove = (doc, now) => doc.delete(key, now);
const seen = {
  '"on"; bob puts "off", and later ann "on"': exchange(put('on'), put('off'), put('on')),
  '"on"; bob puts "off", and later ann "on, still"': exchange(put('on'), put('off'), put('on, still')),
  'deleted; bob puts "on", and later ann deletes it': exchange(
    (doc) => {
      doc.put(key, 'on', 500);
      doc.delete(key, 1_000);
    },
    put('on'),
    remove,
  ),
  '"on"; bob puts "off", and later ann deletes it': exchange(put('on'), put('off'), remove),
};

console.log(`@loro-dev/flock@${version}, node ${process.version}`);
console.log('expected: of two writes of a key the later one stands, whatever was there');
for (const [index, [what, both]] of Object.entries(seen).entries()) console.log(`${index === 0 ? 'seen:     ' : '          '}${what}: both have ${both}`);
const holds = Object.values(seen).join() === 'off and off,on, still and on, still,on and on,deleted and deleted';
if (!holds) console.log('CHANGED: the later one stands, or does not in the other cases, either');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
