#!/usr/bin/env bash
# agenda 6.2.6 with @agendajs/postgres-backend 3.0.6: of those who save a unique job at the same moment each makes one; and a unique path of two steps, "data.user.id", is never found, so that each call makes a job.
#
# What: save() selects, and inserts where it found nothing: two statements without a transaction, a lock or a unique index. Of a path below `data` the whole rest is taken as the name of one field, so "data.user.id" is a field "user.id".
# debounce() is built on the same look: each of those who ask for it together has a job of its own.
# Why it hurts: unique() is what keeps a click, a webhook or an instance that starts from charging twice, and such come in pairs. Nothing is said, now or when both are run. Jobs of every() and of type "single" have an index and are one.
# Who should care: who moved from MongoDB, where a unique job is saved by one upsert. Make a unique index on the expression yourself, or take pg_advisory_lock() around save().
# Source: PostgresJobRepository.js, saveJob(); what the MongoDB backend does was not run here. Needs chroot, Node 20 or later and npm.
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
npm install --no-audit --no-fund --ignore-scripts --loglevel=error agenda@6.2.6 @agendajs/postgres-backend@3.0.6 pg@8.23.1 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { PostgresBackend } from '@agendajs/postgres-backend';
import { Agenda } from 'agenda';
import pg from 'pg';

const versionOf = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
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
const instances = [];
for (let index = 0; index < 2; index += 1) {
  const agenda = new Agenda({ backend: new PostgresBackend({ connectionString }) });
  await agenda.ready;
  // Its pool has connections before anybody saves.
  await Promise.all([0, 1, 2].map((n) => agenda.create(`first ${index} ${n}`).save()));
  instances.push(agenda);
}
const made = async (name) => (await pool.query('SELECT count(*)::int AS n FROM agenda_jobs WHERE name = $1', [name])).rows[0].n;

/** The most jobs that `save` made of a name when both instances called it at the same moment; more than one within 20 tries. */
async function atOnce(name, save) {
  let most = 0;
  for (let tries = 0; tries < 20 && most < 2; tries += 1) {
    await Promise.all(instances.map((agenda) => save(agenda, `${name} ${tries}`)));
    most = Math.max(most, await made(`${name} ${tries}`));
  }
  return most;
}
const charge = (agenda, name) => agenda.create(name, { order: 7 }).unique({ 'data.order': 7 }).save();
const unique = await atOnce('charge', charge);
const debounced = await atOnce('index', (agenda, name) => agenda.create(name, { order: 7 }).unique({ 'data.order': 7 }).debounce(5_000).save());
const every = await atOnce('report', (agenda, name) => agenda.every('1 hour', name));
for (let calls = 0; calls < 3; calls += 1) await charge(instances[0], 'one after the other');
for (let calls = 0; calls < 3; calls += 1) await instances[0].create('mail', { user: { id: 7 } }).unique({ 'data.user.id': 7 }).save();
const [afterEachOther, nested] = [await made('one after the other'), await made('mail')];
for (const agenda of instances) await agenda.stop();
await pool.end();

console.log(`agenda@${versionOf('agenda')}, @agendajs/postgres-backend@${versionOf('@agendajs/postgres-backend')}, node ${process.version}`);
console.log('expected: a unique job is there once, however it was asked for');
console.log(`seen:     asked for by two instances at the same moment: ${unique} jobs; with debounce(): ${debounced}; by every(): ${every}`);
console.log(`          three times, one after the other: ${afterEachOther}; unique by "data.user.id": ${nested}`);
const holds = unique === 2 && debounced === 2 && every === 1 && afterEachOther === 1 && nested === 3;
if (!holds) console.log('CHANGED: a unique job is made once');
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
