#!/usr/bin/env bash
# PostgreSQL 18.6: a write that is cancelled while it waits for its synchronous standby is no error: it is acknowledged, though no standby has it.
#
# What: COMMIT is made on the primary first, then it waits for the standby. A cancel request ends the wait with a warning, and the client is told INSERT 0 1 or COMMIT like for any
# other. Drivers hand warnings to a listener that hardly anybody sets: postgres.js resolves query.cancel()'s query, node-postgres the query that pg_cancel_backend() ended.
# Why it hurts: the standby hangs, writes pile up, somebody or a driver's timeout cancels them: all of them report success at that moment. The failover that follows has none of
# them. statement_timeout, which one would set against it, does not end the wait.
# Who should care: who promises with synchronous_commit = on (or remote_apply) that an acknowledged write survives the primary. Take a cancelled write as unknown, and look at
# warnings of code 01000.
# Source: src/backend/replication/syncrep.c (SyncRepWaitForLSN: a WARNING, since the transaction cannot be undone any more). Needs Node 20 or later and npm.
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
# A standby is named, and none is there: what an outage of it looks like.
chroot --userspec=65534:65534 "$root" /usr/lib/postgresql/18/bin/postgres -D /data/db -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
  -c synchronous_standby_names=standby >>"$work/log" 2>&1 &
pids+=("$!")
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error pg@8.23.1 postgres@3.4.9 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import postgres from 'postgres';

const url = `postgres://postgres@127.0.0.1:${process.argv[2]}/postgres`;

async function connect() {
  for (let tries = 0; ; tries += 1) {
    const client = new pg.Client(url);
    try {
      await client.connect();
      return client;
    } catch (error) {
      if (tries === 100) throw error;
      await sleep(200);
    }
  }
}
const told = (query) => query.then(
  ({ command }) => `resolved: ${command}`,
  ({ code }) => `rejected: ${code}`,
);

const admin = await connect();
await admin.query('SET synchronous_commit = local');
await admin.query('CREATE TABLE orders (id text PRIMARY KEY)');
await admin.query("INSERT INTO orders VALUES ('locked')");

/** Waits until the one other client waits for that. */
async function waitsFor(event) {
  for (let tries = 0; tries < 100; tries += 1) {
    const { rows } = await admin.query('SELECT pid FROM pg_stat_activity WHERE wait_event = $1', [event]);
    if (rows.length === 1) return rows[0].pid;
    await sleep(50);
  }
  throw new Error(`nobody waits for ${event}`);
}

const client = await connect();
// What cancelling is like where it comes before the commit: the row is locked by somebody else.
await admin.query('BEGIN');
await admin.query("DELETE FROM orders WHERE id = 'locked'");
const blocked = told(client.query("DELETE FROM orders WHERE id = 'locked'"));
await admin.query('SELECT pg_cancel_backend($1)', [await waitsFor('transactionid')]);
const early = await blocked;
await admin.query('ROLLBACK');

await client.query('SET statement_timeout = 300');
const waiting = told(client.query("INSERT INTO orders VALUES ('pg')"));
const pid = await waitsFor('SyncRep');
const timeout = await Promise.race([waiting, sleep(1_500, 'waits on')]);
await admin.query('SELECT pg_cancel_backend($1)', [pid]);
const cancelled = await waiting;

const sql = postgres(url, { max: 1, onnotice: () => {} });
const query = sql`INSERT INTO orders VALUES ('postgres.js')`;
const answer = told(query);
await waitsFor('SyncRep');
query.cancel();
const byClient = await answer;
const { rows } = await admin.query("SELECT sync_state FROM pg_stat_replication UNION ALL SELECT setting FROM pg_settings WHERE name = 'server_version'");
console.log(`PostgreSQL ${rows[0].sync_state}, node ${process.version}`);
console.log('expected: a cancelled write is rejected with 57014, or its outcome is said to be unknown; statement_timeout ends it');
console.log(`seen:     cancelled while it waits for a lock: ${early}`);
console.log(`          waiting for a standby that is away: statement_timeout of 300 ms: ${timeout}; pg_cancel_backend(): ${cancelled}; query.cancel() of postgres.js: ${byClient}`);
const holds = early === 'rejected: 57014' && timeout === 'waits on' && cancelled === 'resolved: INSERT' && byClient === 'resolved: INSERT';
if (!holds) console.log('CHANGED: a cancelled write is not acknowledged');
process.exit(holds ? 0 : 7);
JS
code=0
timeout 90 node run.mjs "$port" || code=$?
case $code in
  0) ;;
  7) exit 1 ;;
  *)
    cat "$work/log" >&2
    exit 2
    ;;
esac
