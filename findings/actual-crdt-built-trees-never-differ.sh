#!/usr/bin/env bash
# @actual-app/crdt 3.1.3: merkle.build() returns an empty tree whatever it is given: two replicas that compare built trees are told that nothing is missing.
#
# What: insert() returns a new tree and leaves the one that it is given as it was, though its comment says that it changes it. build() counts on the comment and drops what insert() returns.
# All built trees have the hash 0, so diff() of any two is null, "the same".
# Why it hurts: a replica that makes its tree from its messages, after a restart or an import, sends nothing and asks for nothing, and says that it is in sync. A tree that grew by insert(), compared with a
# built one, differs since 1970, so that everything is sent each time.
# Who should care: who syncs by this package outside of Actual, which inserts one by one. Take what insert() returns.
# Source: packages/crdt/src/crdt/merkle.ts of Actual (build, insert).
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error @actual-app/crdt@3.1.3 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { Timestamp, merkle } from '@actual-app/crdt';

const { version } = JSON.parse(readFileSync('node_modules/@actual-app/crdt/package.json', 'utf8'));
const minute = (number) => Timestamp.parse(`2026-11-30T10:0${number}:00.000Z-0000-000000000000000a`);
const ann = [minute(1), minute(2), minute(3)];
const bob = [minute(1)];

/** From when on two replicas differ, or null, by trees that are made from their messages in one way. */
const differ = (tree) => merkle.diff(tree(ann), tree(bob));
const shown = (time) => (time === null ? 'nothing' : `what there is since ${new Date(time).toISOString()}`);
const inserted = differ((messages) => messages.reduce((tree, message) => merkle.insert(tree, message), merkle.emptyTrie()));
const built = differ(merkle.build);

console.log(`@actual-app/crdt@${version}, node ${process.version}`);
console.log('expected: a replica with three messages and one with the first of them differ since the second, however the trees are made');
console.log(`seen:     by insert() ${shown(inserted)} is missing; by build() ${shown(built)}; the built tree of three messages is ${JSON.stringify(merkle.build(ann))}`);
const holds = inserted !== null && built === null;
if (!holds) console.log('CHANGED: trees that are built differ, too');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
