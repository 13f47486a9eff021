#!/usr/bin/env bash
# jsondiffpatch 0.7.7: unpatch() of a list in which an item was moved and changed gives the old value to another item, and leaves the changed one as it is; reverse() and then patch() does the same.
#
# What: items are known by `objectHash`, as the manual recommends. The changes of items are turned about with the places of the new list, and made when the moves have been taken back: whoever is at that place then gets the value.
# patch() makes the right list in each of the cases here.
# Why it hurts: deltas are kept as a history, to undo by, or to rebuild an older version from the newest. Somebody sorts the list and corrects one price; the undo sets the price of another product, without an error, and each step further
# back goes on from there.
# Who should care: who calls unpatch() or reverse() with objectHash. Keep the deltas of the other direction, diff(new, old), too; or `arrays: { detectMove: false }`, under which all are right.
# Source: lib/filters/arrays.js, reverseDeltaIndex(); issues 275 and 295 are open since 2019 and 2020; docs/deltas.md and the README say that deltas can be reversed.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error jsondiffpatch@0.7.7 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { create } from 'jsondiffpatch';

const { version } = JSON.parse(readFileSync('node_modules/jsondiffpatch/package.json', 'utf8'));
const IDS = [1, 2, 3];
const OLD = IDS.map((id) => ({ id, price: id * 10 }));

const orders = (ids) => (ids.length < 2 ? [ids] : ids.flatMap((id, at) => orders(ids.toSpliced(at, 1)).map((rest) => [id, ...rest])));
const subsets = (ids) => ids.reduce((sets, id) => [...sets, ...sets.map((set) => [...set, id])], [[]]);
const isSame = (a, b) => JSON.stringify(a) === JSON.stringify(b);
const tell = (list) => list.map(({ id, price }) => `${id}: ${price}`).join(', ');

/** All orders of each choice of three products, with each choice of prices raised by one: how often patch() makes the new list, and unpatch() and reverse() the old one. */
function tryAll(options) {
  const differ = create({ objectHash: ({ id }) => id, ...options });
  const counts = { lists: 0, patched: 0, unpatched: 0, reversed: 0 };
  for (const order of subsets(IDS).flatMap(orders)) {
    for (const raised of subsets(order)) {
      const list = order.map((id) => ({ id, price: id * 10 + Number(raised.includes(id)) }));
      const delta = differ.diff(OLD, list);
      if (delta === undefined) continue;
      counts.lists += 1;
      counts.patched += isSame(differ.patch(structuredClone(OLD), structuredClone(delta)), list);
      counts.unpatched += isSame(differ.unpatch(structuredClone(list), structuredClone(delta)), OLD);
      counts.reversed += isSame(differ.patch(structuredClone(list), differ.reverse(structuredClone(delta))), OLD);
    }
  }
  return counts;
}
const differ = create({ objectHash: ({ id }) => id });
const sorted = [OLD[2], OLD[1], { id: 1, price: 11 }];
const undone = differ.unpatch(structuredClone(sorted), differ.diff(OLD, sorted));
const all = tryAll({});
const without = tryAll({ arrays: { detectMove: false } });

const tellAll = ({ lists, patched, unpatched, reversed }) => `of ${lists} lists patch() makes ${patched}; unpatch() the old one of ${unpatched}, reverse() and patch() of ${reversed}`;
console.log(`jsondiffpatch@${version}, node ${process.version}`);
console.log('expected: unpatch() gives the list that was there before');
console.log(`seen:     ${tell(OLD)} was sorted, and one price raised: ${tell(sorted)}; unpatched: ${tell(undone)}`);
console.log(`          ${tellAll(all)}`);
console.log(`          detectMove: false: ${tellAll(without)}`);
const isRight = without.lists === without.unpatched && without.lists === without.reversed && all.patched === all.lists;
const holds = tell(undone) === '1: 11, 2: 10, 3: 30' && all.unpatched < all.lists && all.reversed < all.lists && isRight;
if (!holds) console.log('CHANGED: what was there before is there again');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
