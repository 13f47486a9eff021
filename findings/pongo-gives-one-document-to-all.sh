#!/usr/bin/env bash
# @event-driven-io/pongo 0.16.11 on PostgreSQL 18: of those who claim a document at the same moment by findOneAndUpdate(), or by updateOne() with a condition, all are told that they have it; handle() loses updates.
#
# What: findOneAndUpdate(), findOneAndReplace() and findOneAndDelete() are a find and then an update, in two statements, and answer what the find had. updateOne(), replaceOne() and deleteOne() look for the document in one part of the statement and change
# it by its _id in another, which is not asked again when it had to wait for another one's change. handle() writes without the version that it read. All of them heed `expectedVersion`.
# Why it hurts: "MongoDB on PostgreSQL" is its promise, and in MongoDB these are how one takes a job, books a seat, counts down a stock: one statement, one winner. Here each gets `successful: true`, `modifiedCount: 1`, or the job itself.
# Who should care: who moves such claims to Pongo. Pass `expectedVersion` of a document that was read, and look at `successful`.
# Source: dist/index.js, findOneAndUpdate(), handle(), SqlFor.updateOne(). Needs chroot, Node 20 or later and npm.
set -euo pipefail

work=$(mktemp -d)
pids=()
end() {
  exec 2>/dev/null
  for pid in ${pids[@]+"${pids[@]}"}; do kill -INT "$pid" || true; done
  wait || true
  rm -rf "$work"
}
trap end EXIT

fetch() {
  local name=$1 release=$2 lists=$work/lists-$2 mirror
  shift 2
  mkdir -p "$work/$name" "$lists/partial" "$work/cache"
  : >"$work/status"
  mirror=$(apt-get indextargets --format "\$(REPO_URI)" | awk '!/security/ && !seen++')
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $release main" >"$lists.list"
  local apt=(apt-get -qq -o "Dir::Etc::sourcelist=$lists.list" -o Dir::Etc::sourceparts=- -o "Dir::State::Lists=$lists" -o "Dir::State::status=$work/status"
    -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Update::Error-Mode=any)
  "${apt[@]}" update || { echo "the mirror has no $release, or cannot be reached" >&2; exit 2; }
  if ! (cd "$work/$name" && "${apt[@]}" download "$@" >"$work/apt" 2>&1); then
    cat "$work/apt" >&2
    if grep -q 'not found' "$work/apt"; then echo "not available any more: $1 in $release" >&2; exit 3; fi
    exit 2
  fi
  echo "package: $1 of Debian $release"
  find "$work/$name" -maxdepth 1 -name '*.deb' -exec dpkg -x {} "$work/$name" \; -exec rm {} \;
}

free_port() {
  local port
  for port in $(shuf -i 20000-29999 -n 100); do
    (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

for tool in node npm chroot; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 2; }
done
# PostgreSQL starts programs of its own and refuses to run as root: it lives in a folder with the libraries of its release, as nobody.
root=$work/pg
mkdir -p "$root"/{usr/bin,usr/lib,usr/lib64,tmp,dev,data}
for name in bin lib lib64; do ln -s "usr/$name" "$root/$name"; done
fetch pg sid postgresql-18=18.6-3 libc6 dash libaudit1 libcap-ng0 libcap2 libcom-err2 libgcc-s1 libgssapi-krb5-2 libicu78 libk5crypto3 libkeyutils1 libkrb5-3 libkrb5support0 \
  libldap2 liblz4-1 libnuma1 libpam0g libpcre2-8-0 libpq5 libsasl2-2 libselinux1 libssl3t64 libstdc++6 libsystemd0 liburing2 libuuid1 libxml2-16 libxslt1.1 libxxhash0 libzstd1 tzdata zlib1g
mkdir -p "$root/etc"
echo 'nobody:x:65534:65534::/:/bin/sh' >"$root/etc/passwd"
chmod 755 "$work"
chmod 777 "$root/data" "$root/tmp"
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 444 "$root/dev/urandom" c 1 9
postgres() { chroot --userspec=65534:65534 "$root" "/usr/lib/postgresql/18/bin/$1" "${@:2}"; }
port=$(free_port)
postgres initdb -D /data/db -U postgres -A trust --no-locale -c dynamic_shared_memory_type=mmap >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 2; }
chroot --userspec=65534:65534 "$root" /usr/lib/postgresql/18/bin/postgres -D /data/db -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= >>"$work/log" 2>&1 &
pids+=("$!")
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error @event-driven-io/pongo@0.16.11 pg@8.23.1 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { pongoClient } from '@event-driven-io/pongo';
import pg from 'pg';

const { version } = JSON.parse(readFileSync('node_modules/@event-driven-io/pongo/package.json', 'utf8'));
const connectionString = `postgres://postgres@127.0.0.1:${process.argv[2]}/postgres`;
const pool = new pg.Pool({ connectionString });
for (let tries = 0; ; tries += 1) {
  try {
    await pool.query('SELECT');
    break;
  } catch (error) {
    if (tries === 100) throw error;
    await sleep(200);
  }
}
const client = pongoClient(connectionString);
const jobs = client.db().collection('jobs');
const WORKERS = ['ann', 'bob', 'cid', 'dan'];
await jobs.insertOne({ _id: 'first', state: 'done' });

/** What all workers are told when they do the same at once, while another one holds the row for a moment; then the row. */
async function atOnce(id, document, act) {
  await jobs.insertOne({ _id: id, ...document });
  const other = await pool.connect();
  await other.query('BEGIN');
  await other.query('SELECT FROM jobs WHERE _id = $1 FOR UPDATE', [id]);
  const acting = WORKERS.map((worker) => act(worker, id));
  // All of them wait for the row now, or are about to.
  await sleep(1_000);
  await other.query('COMMIT');
  other.release();
  const told = await Promise.all(acting);
  return { told, after: await jobs.findOne({ _id: id }) };
}
const job = { state: 'ready' };
const claim = (worker) => ({ $set: { state: 'taken', worker } });
const byFind = await atOnce('a', job, async (worker, id) => (await jobs.findOneAndUpdate({ _id: id, state: 'ready' }, claim(worker)))?.state === 'ready');
const byUpdate = await atOnce('b', job, async (worker, id) => (await jobs.updateOne({ _id: id, state: 'ready' }, claim(worker))).modifiedCount === 1);
const byHandle = await atOnce('c', { count: 0 }, async (_, id) => (await jobs.handle(id, (document) => ({ ...document, count: document.count + 1 }))).successful);
const byVersion = await atOnce('d', job, async (worker, id) => (await jobs.updateOne({ _id: id, state: 'ready' }, claim(worker), { expectedVersion: 1n })).modifiedCount === 1);
const byInc = await atOnce('e', { count: 0 }, async (_, id) => (await jobs.updateOne({ _id: id }, { $inc: { count: 1 } })).successful);
await client.close();
await pool.end();

const winners = ({ told }) => told.filter(Boolean).length;
console.log(`@event-driven-io/pongo@${version}, node ${process.version}`);
console.log('expected: of four workers who claim a ready job at the same moment one has it; of four increments each is counted, or refused');
console.log(`seen:     findOneAndUpdate({ state: 'ready' }): ${winners(byFind)} have it`);
console.log(`          updateOne({ state: 'ready' }): ${winners(byUpdate)} modified it; with expectedVersion: ${winners(byVersion)}`);
console.log(`          handle(): ${winners(byHandle)} successful, counted: ${byHandle.after.count}; $inc: ${winners(byInc)} successful, counted: ${byInc.after.count}`);
const holds = winners(byFind) === 4 && winners(byUpdate) === 4 && winners(byHandle) === 4 && byHandle.after.count === 1 && winners(byVersion) === 1 && byInc.after.count === 4;
if (!holds) console.log('CHANGED: one has it');
process.exit(holds ? 0 : 7);
JS
code=0
timeout 90 node run.mjs "$port" || code=$?
case $code in
  0) ;;
  7) exit 1 ;;
  *)
    tail -20 "$work/log" >&2
    exit 2
    ;;
esac
