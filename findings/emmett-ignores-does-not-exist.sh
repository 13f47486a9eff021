#!/usr/bin/env bash
# Emmett 0.42: STREAM_DOES_NOT_EXIST guards nothing, on PostgreSQL as on SQLite; and on SQLite one append that was refused makes a stream refuse every later one.
#
# What: of the expected versions only numbers are looked at; STREAM_DOES_NOT_EXIST and STREAM_EXISTS are turned into "whatever there is". On SQLite an outdated number is refused, but by
# then the stream's position has been raised, and that is committed: it is ahead of the events by what was refused, and the version that was just read is never the expected one.
# Why it hurts: "create if absent" is how an event store keeps a name, an order number or an idempotency key unique: two registrations are both accepted, in one stream. And on SQLite the
# first conflict of two writers, the very thing that the version is there for, ends all conditional writes of that stream, each with "does not match current -1".
# Who should care: who starts streams by Emmett. 0n as the expected version is refused where the stream exists.
# Source: toExpectedVersion in appendToStream of emmett-postgresql and emmett-sqlite; in the latter success: false is returned, not thrown, out of withTransaction, which commits. Needs
# Node 20 or later and npm.
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

# fetch NAME RELEASE PACKAGE=VERSION...: unpacks packages of a Debian release into $work/NAME, from the mirror that this machine uses, beside its own packages.
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
# The package sqlite3 fetches its built half from elsewhere: Debian has it. It names Debian's libnode, of which Node itself has all that it uses: any library will do.
fetch sqlite bookworm node-sqlite3=5.1.5+ds1-1 libsqlite3-0
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error --legacy-peer-deps @event-driven-io/emmett@0.42.0 @event-driven-io/emmett-sqlite@0.42.4 sqlite3@5.1.7 async-retry@1.3.3 \
  uuid@10.0.0 @event-driven-io/emmett-postgresql@0.42.0 @event-driven-io/pongo@0.16.11 @event-driven-io/dumbo@0.12.7 ansis@4.5.0 pg@8.23.1 pg-connection-string@2.14.1 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }
mkdir -p node_modules/sqlite3/build/Release libraries
find sqlite -path '*napi-v6*' -name node_sqlite3.node -exec cp {} node_modules/sqlite3/build/Release/ \;
find sqlite -name 'libsqlite3.so.0' -exec cp -L {} libraries/ \;
cp libraries/libsqlite3.so.0 libraries/libnode.so.108

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { STREAM_DOES_NOT_EXIST } from '@event-driven-io/emmett';
import { getPostgreSQLEventStore } from '@event-driven-io/emmett-postgresql';
import { getSQLiteEventStore } from '@event-driven-io/emmett-sqlite';
import pg from 'pg';

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
const url = `postgres://postgres@127.0.0.1:${process.argv[2]}/postgres`;
for (let tries = 0; ; tries += 1) {
  const client = new pg.Client(url);
  try {
    await client.connect();
    await client.end();
    break;
  } catch (error) {
    if (tries === 100) throw error;
    await sleep(200);
  }
}

/** What a store says to two registrations of one name, to one with 0n, and to an append with the version just read after one with an outdated version. */
async function look(store) {
  const append = (stream, what, expectedStreamVersion) =>
    store.appendToStream(stream, [{ type: 'Happened', data: { what } }], { expectedStreamVersion }).then(
      () => 'accepted',
      () => 'refused',
    );
  const first = await append('user-smith', 'ann', STREAM_DOES_NOT_EXIST);
  const second = await append('user-smith', 'bob', STREAM_DOES_NOT_EXIST);
  const both = (await store.readStream('user-smith')).events.map(({ data }) => data.what).join(', ');
  const zero = await append('user-smith', 'eve', 0n);
  await append('order-1', 'placed');
  await append('order-1', 'paid', 1n);
  const outdated = await append('order-1', 'cancelled', 1n);
  const after = await append('order-1', 'sent', (await store.readStream('order-1')).currentStreamVersion);
  return { names: `${first}, ${second}: the stream has ${both}`, zero, after: `${outdated}, then with the version just read ${after}` };
}
const postgresql = await look(getPostgreSQLEventStore(url));
const sqlite = await look(getSQLiteEventStore({ fileName: 'events.db', schema: { autoMigration: 'CreateOrUpdate' } }));
console.log(`@event-driven-io/emmett-postgresql@${version('@event-driven-io/emmett-postgresql')}, -sqlite@${version('@event-driven-io/emmett-sqlite')}, node ${process.version}`);
console.log('expected: of two appends to a stream that must not exist the second is refused; after an outdated one the next, with the version just read, is accepted');
for (const [name, { names, zero, after }] of Object.entries({ PostgreSQL: postgresql, SQLite: sqlite })) {
  console.log(`seen:     ${name.padEnd(10)} must not exist: ${names}; 0n: ${zero}; outdated: ${after}`);
}
const bothAreIn = 'accepted, accepted: the stream has ann, bob';
const holds =
  [postgresql, sqlite].every(({ names, zero }) => names === bothAreIn && zero === 'refused') &&
  postgresql.after === 'refused, then with the version just read accepted' &&
  sqlite.after === 'refused, then with the version just read refused';
if (!holds) console.log('CHANGED: the second registration is refused, or the stream goes on after a conflict');
process.exit(holds ? 0 : 7);
JS
code=0
LD_LIBRARY_PATH=$work/libraries timeout 60 node run.mjs "$port" || code=$?
case $code in
  0) ;;
  7) exit 1 ;;
  *)
    tail -20 "$work/log" >&2
    exit 2
    ;;
esac
