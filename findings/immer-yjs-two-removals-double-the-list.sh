#!/usr/bin/env bash
# immer-yjs 1.2.0: where two remove the first item of a list at the same time the rest of the list is there twice; where both put one at its head, the whole list; and who changes another item meanwhile loses that.
#
# What: update() writes to Yjs what Immer says of the change, and of `items.shift()` Immer says that each place has another value, and that the list is shorter. So the items are not moved: all of them from there on are deleted and made
# anew, as copies, in each replica that does it. The same is done by the array of Yjs, delete(0, 1), without any of it.
# Why it hurts: two people tick off the first line of a shopping list, and each other line stands in it twice for everybody; and the item whose number somebody else corrected has its old number again. With one writer all looks right.
# Who should care: who binds a Y.Doc by bind() and changes arrays other than at their end. Keep the items in an object by their id, or change the Y.Array itself.
# Source: the patches of Immer for arrays, and the applyPatch() of immer-yjs. "Two-way binding between y.js and plain (nested) json object/array", says its readme.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error immer-yjs@1.2.0 immer@10.2.0 yjs@13.6.33 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { bind } from 'immer-yjs';
import * as Y from 'yjs';

const versionOf = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;

function exchange(one, other) {
  const [fromOne, fromOther] = [Y.encodeStateAsUpdate(one), Y.encodeStateAsUpdate(other)];
  Y.applyUpdate(one, fromOther);
  Y.applyUpdate(other, fromOne);
}
/** Ann and Bob have the list milk, bread, eggs; each makes a change before they hear of each other's. What both have then. */
function meet(ofAnn, ofBob, change) {
  const [ann, bob] = [new Y.Doc(), new Y.Doc()];
  bind(ann.getMap('shop')).update((shop) => {
    shop.items = ['milk', 'bread', 'eggs'].map((name) => ({ name, count: 1 }));
  });
  exchange(ann, bob);
  change(ann, ofAnn);
  change(bob, ofBob);
  exchange(ann, bob);
  const [hers, his] = [ann, bob].map((doc) => doc.getMap('shop').toJSON().items.map(({ name, count }) => `${count} ${name}`).join(', '));
  return hers === his ? hers : `Ann has ${hers}, Bob ${his}`;
}
const byImmer = (doc, recipe) => bind(doc.getMap('shop')).update((shop) => { recipe(shop.items); });
const byYjs = (doc, recipe) => recipe(doc.getMap('shop').get('items'));

const shift = (items) => items.shift();
const seen = {
  removals: meet(shift, shift, byImmer),
  heads: meet((items) => items.unshift({ name: 'tea', count: 1 }), (items) => items.unshift({ name: 'jam', count: 1 }), byImmer),
  correction: meet(shift, (items) => { items[2].count = 12; }, byImmer),
};
const remove = (items) => items.delete(0, 1);
const plain = { removals: meet(remove, remove, byYjs), correction: meet(remove, (items) => items.get(2).set('count', 12), byYjs) };
console.log(`immer-yjs@${versionOf('immer-yjs')}, immer@${versionOf('immer')}, yjs@${versionOf('yjs')}, node ${process.version}`);
console.log('expected: of milk, bread, eggs, at the same time: both remove the milk: bread, eggs; one puts tea, the other one jam at the head: five items; one removes the milk, the other one wants 12 eggs: bread, 12 eggs');
console.log(`seen:     both remove the milk: ${seen.removals}; by the Y.Array itself: ${plain.removals}`);
console.log(`          tea and jam: ${seen.heads}`);
console.log(`          12 eggs: ${seen.correction}; by the Y.Array itself: ${plain.correction}`);
const isRight = plain.removals === '1 bread, 1 eggs' && plain.correction === '1 bread, 12 eggs';
const isDoubled = seen.removals === '1 bread, 1 eggs, 1 bread, 1 eggs' && seen.heads.split(', ').length === 8;
const holds = isRight && isDoubled && seen.correction === '1 bread, 1 eggs';
if (!holds) console.log('CHANGED: the items stay what they are, or the array of Yjs does otherwise');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 40 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 40 seconds' >&2; exit 3; }
exit "$code"
