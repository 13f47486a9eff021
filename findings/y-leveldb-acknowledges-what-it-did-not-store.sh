#!/usr/bin/env bash
# y-leveldb 0.2.0: storeUpdate() resolves where the disk was full, and from then on nothing more of that writer is read, though there is room again.
#
# What: an error of the store is caught, printed with console.warn, and the promise resolves with null. Updates of a Yjs document build on each other: with one of them
# missing the later ones are stored, acknowledged with a number, and wait for it for ever, also after a restart.
# Why it hurts: a disk that is full for a second ends the document: hours of later work are in the store, acknowledged, and getYDoc() answers with the text of before. As long as
# the process has the document in memory nobody sees it.
# Who should care: who keeps Yjs documents in LevelDB by 'ydoc.on("update", ...)', as y-websocket's server did. Look at the number, and store encodeStateAsUpdate after a failure.
# Source: src/y-leveldb.js (_transact, whose catch returns null; the type says Promise<number>). The full disk is a limit of the file's size that prlimit sets for the process
# and lifts again: write() fails with EFBIG in place of ENOSPC.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm prlimit; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  y-leveldb@0.2.0 yjs@13.6.33 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { LeveldbPersistence } from 'y-leveldb';
import { Doc } from 'yjs';

const { version } = JSON.parse(readFileSync('node_modules/y-leveldb/package.json', 'utf8'));

/** How large a file of this process may get. Nothing is printed while it is small: that could be a file as well. */
const limitFiles = (bytes) => execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:unlimited`]);
console.warn = () => {};

/** What each of three words was answered, the second one with or without a full disk, and what a new process reads. */
async function write(folder, isFull) {
  const store = new LeveldbPersistence(folder);
  const doc = new Doc();
  const text = doc.getText('text');
  let update;
  doc.on('update', (made) => (update = made));
  const add = async (word) => {
    text.insert(text.length, `${word} `);
    return store.storeUpdate('page', update).then(
      (clock) => `resolved: ${clock}`,
      () => 'rejected',
    );
  };
  const answers = [await add('one')];
  const sizes = readdirSync(folder).map((name) => statSync(`${folder}/${name}`).size);
  if (isFull) limitFiles(Math.max(...sizes) + 10);
  answers.push(await add('two'));
  limitFiles('unlimited');
  answers.push(await add('three'));
  await store.destroy();
  const reopened = new LeveldbPersistence(folder);
  const read = (await reopened.getYDoc('page')).getText('text').toString().trim();
  await reopened.destroy();
  return { answers: answers.join(', '), read };
}

const usual = await write('usual', false);
const full = await write('full', true);
console.log(`y-leveldb@${version}, node ${process.version}`);
console.log('expected: storeUpdate is rejected on a full disk; what it acknowledges is read');
console.log(`seen:     always room:        ${usual.answers}; read: ${usual.read}`);
console.log(`          full at the second: ${full.answers}; read: ${full.read}`);
const isUsual = usual.answers === 'resolved: 0, resolved: 1, resolved: 2' && usual.read === 'one two three';
const holds = isUsual && full.answers === 'resolved: 0, resolved: null, resolved: 1' && full.read === 'one';
if (!holds) console.log('CHANGED: a failure is told, or what was acknowledged is read');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
