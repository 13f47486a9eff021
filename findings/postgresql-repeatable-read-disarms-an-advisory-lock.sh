#!/usr/bin/env bash
# PostgreSQL 18.6: look and insert under pg_advisory_xact_lock() books a room twice at REPEATABLE READ, and once at READ COMMITTED, the weaker level.
#
# What: at REPEATABLE READ a transaction reads as of its first statement, and that is the one that takes the lock: its snapshot is made before it waits, not when it gets the lock. Whoever
# waited sees nothing of what the holder before it has committed. Within one statement it is so at every level: SELECT pg_advisory_xact_lock(1), n reads n from before the wait.
# Why it hurts: the lock is held by one at a time, as it should be, and protects nothing. The level is often set once for all, in the pool or the ORM, by somebody who wants to be safer.
# An insert conflicts with nothing, so that there is no error either; only SERIALIZABLE refuses the second one.
# Who should care: who guards a count, a limit or "does it exist yet" by advisory locks. Take the lock before BEGIN (pg_advisory_lock, on one connection), or stay at READ COMMITTED and
# read in a statement of its own.
# Source: PostgreSQL's documentation warns that a snapshot may be older than a lock; that an advisory lock is taken by a SELECT, which makes the snapshot itself, one has to conclude.
# Needs Node 20 or later and npm.
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
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error pg@8.23.1 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

async function connect() {
  for (let tries = 0; ; tries += 1) {
    const client = new pg.Client(`postgres://postgres@127.0.0.1:${process.argv[2]}/postgres`);
    client.on('error', () => {});
    try {
      await client.connect();
      return client;
    } catch (error) {
      if (tries === 100) throw error;
      await sleep(200);
    }
  }
}
const [admin, first, second] = [await connect(), await connect(), await connect()];
await admin.query('CREATE TABLE bookings (room int, who text)');
await admin.query('CREATE TABLE stock (n int)');

async function untilSomebodyWaits() {
  for (let tries = 0; tries < 100; tries += 1) {
    const { rowCount } = await admin.query("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted");
    if (rowCount === 1) return;
    await sleep(50);
  }
  throw new Error('nobody waits for the lock');
}

/** Books room 7 under a lock if nobody has; meanwhile() is what happens while it has the lock. */
async function book(client, who, { level, isBefore = false }, meanwhile = async () => {}) {
  if (isBefore) await client.query('SELECT pg_advisory_lock(7)');
  await client.query(`BEGIN ISOLATION LEVEL ${level}`);
  if (!isBefore) await client.query('SELECT pg_advisory_xact_lock(7)');
  const { rowCount } = await client.query('SELECT FROM bookings WHERE room = 7');
  await meanwhile();
  if (rowCount === 0) await client.query('INSERT INTO bookings VALUES (7, $1)', [who]);
  await client.query('COMMIT');
  if (isBefore) await client.query('SELECT pg_advisory_unlock(7)');
  return rowCount === 0 ? 'booked' : 'taken';
}

/** What two are told who want one room at the same time, and how many bookings there are. */
async function two(way) {
  await admin.query('DELETE FROM bookings');
  let other;
  const one = await book(first, 'first', way, async () => {
    other = book(second, 'second', way).catch(({ code }) => `refused (${code})`);
    await untilSomebodyWaits();
  });
  const answers = `${one} and ${await other}`;
  await second.query('ROLLBACK');
  const { rowCount } = await admin.query('SELECT FROM bookings');
  return `${answers}, ${rowCount} in the table`;
}

const seen = {
  'READ COMMITTED': await two({ level: 'READ COMMITTED' }),
  'REPEATABLE READ': await two({ level: 'REPEATABLE READ' }),
  SERIALIZABLE: await two({ level: 'SERIALIZABLE' }),
  'REPEATABLE READ, lock before BEGIN': await two({ level: 'REPEATABLE READ', isBefore: true }),
};
await admin.query('INSERT INTO stock VALUES (100)');
await first.query('BEGIN');
await first.query('SELECT pg_advisory_xact_lock(1)');
const waiting = second.query('SELECT pg_advisory_xact_lock(1), n FROM stock');
await untilSomebodyWaits();
await first.query('UPDATE stock SET n = 50');
await first.query('COMMIT');
const [{ n }] = (await waiting).rows;

const { rows } = await admin.query('SHOW server_version');
console.log(`PostgreSQL ${rows[0].server_version}, node ${process.version}`);
console.log('expected: of two that look and insert under one lock, one books; the stricter the level, the safer. Who gets the lock reads what the holder before has committed');
for (const [level, answers] of Object.entries(seen)) console.log(`seen:     ${`${level}:`.padEnd(36)}${answers}`);
console.log(`          SELECT pg_advisory_xact_lock(1), n after the holder has committed 50: ${n}`);
const one = 'booked and taken, 1 in the table';
const holds = Object.values(seen).join() === [one, 'booked and booked, 2 in the table', 'booked and refused (40001), 1 in the table', one].join() && n === 100;
if (!holds) console.log('CHANGED: the snapshot is made when the lock is had, or READ COMMITTED books twice, too');
process.exit(holds ? 0 : 7);
JS
code=0
timeout 60 node run.mjs "$port" || code=$?
case $code in
  0) ;;
  7) exit 1 ;;
  *)
    tail -20 "$work/log" >&2
    exit 2
    ;;
esac
