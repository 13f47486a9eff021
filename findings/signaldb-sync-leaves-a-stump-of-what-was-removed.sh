#!/usr/bin/env bash
# SignalDB's sync 1.3.1: an item that one client removed while another one changed one of its fields comes back with that field and nothing else, on the server and on every client.
#
# What: the changes of a client are kept as what was called, an update as its modifier. After a pull they are made again over what the server has, and where the item is absent
# there, the update inserts it: the id and the fields of the modifier. This is pushed as an item that was added.
# Why it hurts: neither of the two users wanted that: not removed, not kept. The stump passes for a whole item, in lists and in sums, and the other fields are gone everywhere, the
# copy of the client that only changed one field included.
# Who should care: who syncs collections that are written offline. Mark an item as removed in place of removing it, or have push() refuse items that lack fields.
# Source: packages/base/sync/src/applyChanges.ts (an update without its item), sync.ts and computeChanges.ts of SignalDB.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  @signaldb/core@1.8.1 @signaldb/sync@1.3.1 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { Collection, createMemoryAdapter } from '@signaldb/core';
import { SyncManager } from '@signaldb/sync';

const versionOf = (name) => `${name}@${JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version}`;
console.log(`${versionOf('@signaldb/core')}, ${versionOf('@signaldb/sync')}, node ${process.version}`);

/** Items by their id; a client's pull takes all of them, its push stores what it is given. */
const server = new Map();
const pushed = [];

function client(id) {
  const items = new Collection({ persistence: createMemoryAdapter() });
  const manager = new SyncManager({
    id,
    persistenceAdapter: () => createMemoryAdapter(),
    pull: async () => ({ items: structuredClone([...server.values()]) }),
    push: async (_, { changes }) => {
      pushed.push(...structuredClone(changes.added.map((item) => ({ by: id, item }))));
      for (const item of [...changes.added, ...changes.modified]) server.set(item.id, structuredClone(item));
      for (const item of changes.removed) server.delete(item.id);
    },
  });
  manager.addCollection(items, { name: 'bookings' });
  return { items, sync: () => manager.sync('bookings') };
}
const show = ({ items }) => JSON.stringify(items.find().fetch());

const [ann, bob] = [client('ann'), client('bob')];
ann.items.insert({ id: '1', room: 'A', guests: 2, price: 300 });
await ann.sync();
await bob.sync();
pushed.length = 0;
const before = show(bob);
ann.items.removeOne({ id: '1' });
bob.items.updateOne({ id: '1' }, { $set: { guests: 3 } });
await ann.sync();
const removed = JSON.stringify([...server.values()]);
await bob.sync();
await ann.sync();
const stored = JSON.stringify([...server.values()]);

console.log('expected: the booking that ann removed and bob changed is removed, or is there with all its fields');
console.log(`seen:     before ${before}; after ann's sync the server has ${removed}; after bob's it has ${stored},`);
console.log(`          ann has ${show(ann)}, and bob has ${show(bob)}; pushed as added: ${JSON.stringify(pushed)}`);

const stump = '[{"id":"1","guests":3}]';
const holds = removed === '[]' && stored === stump && show(ann) === stump && show(bob) === stump;
if (!holds) console.log('CHANGED: the item is removed, or whole');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
