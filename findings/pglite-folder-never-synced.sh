#!/usr/bin/env bash
# PGlite 0.5.17 over a folder: no write is ever synced, not at COMMIT, not at CHECKPOINT, not at close; the setting cannot be turned on.
#
# What: Postgres is started with -F, so `fsync` is off, while synchronous_commit says on; ALTER SYSTEM SET fsync = on is taken and stays without effect. The file system
# below it has no sync to call either. relaxedDurability: false, which is the default, is about IndexedDB and changes nothing here.
# Why it hurts: a killed process loses nothing, so each test passes. After a power cut what was committed can be missing, and since the log is not synced before the
# tables, the database can be beyond repair, too.
# Who should care: who takes "Postgres in a folder" for as durable as Postgres: a promise of an acceptor, an outbox, a queue. Copies made by backup miss nothing.
# Source: electric-sql/pglite issue 1107 (open); the manual on relaxedDurability. How it is seen: strace of the whole process, with one fdatasync of its own to compare.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm strace; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  @electric-sql/pglite@0.5.17 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
console.log(`@electric-sql/pglite@${version('@electric-sql/pglite')}, node ${process.version}`);

/** The settings that durability depends on, as the database tells them. */
async function settings(db) {
  const { rows } = await db.query("select name || ' ' || setting as told from pg_settings where name in ('fsync', 'synchronous_commit') order by 1");
  return rows.map(({ told }) => told).join(', ');
}

let db = await PGlite.create({ dataDir: 'data', relaxedDurability: false });
await db.exec('create table promise (ballot int primary key)');
await db.exec('alter system set fsync = on');
const before = await settings(db);
await db.close();
db = await PGlite.create({ dataDir: 'data', relaxedDurability: false });
for (let ballot = 1; ballot <= 20; ballot += 1) await db.query('insert into promise values ($1)', [ballot]);
await db.exec('checkpoint');
const after = await settings(db);
await db.close();

// What strace shows where a process does sync.
const own = openSync('own', 'w');
writeSync(own, 'promise');
fdatasyncSync(own);
closeSync(own);
console.log(`settings: ${before}; after ALTER SYSTEM SET fsync = on and a new start: ${after}`);
JS
code=0
timeout 120 strace -f -qq -e signal=none -e trace=fsync,fdatasync,msync,sync,syncfs,sync_file_range -o trace node run.mjs || code=$?
[ "$code" -eq 0 ] || { echo "node or strace ended with $code" >&2; exit 3; }
syncs=$(grep -cE '(sync|sync_file_range)\(' trace || true)
echo 'expected: at least one sync for each of the 20 inserts, which were awaited, beside the one of our own: more than 20'
echo "seen:     $syncs"
[ "$syncs" -eq 1 ] || { echo 'CHANGED: PGlite syncs, or our own sync was not seen'; exit 1; }
