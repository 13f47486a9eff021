#!/usr/bin/env bash
# pg-logical-replication 2.5.0: with acknowledge.auto set to false a change that the consumer has not acknowledged is acknowledged by a timer, and is never delivered again.
#
# What: a second setting, acknowledge.timeoutSeconds, 10 unless set, is not turned off by the first: where nothing was acknowledged for that long, and in the first second after
# the start, the service acknowledges the last position that it received, be it at work, failed or still in the queue of flowControl. PostgreSQL forgets what lies before it.
# Why it hurts: "I acknowledge when it is stored" is what auto: false is taken for. A consumer that is down for a while with its target (a search index, a queue, a warehouse), or needs
# more than a moment for a change, and is restarted then, has a gap that nobody is told of.
# Who should care: who copies changes, or empties an outbox, by it. timeoutSeconds: 0 and acknowledging by oneself, keepalives included.
# Source: the package's checkStandbyStatus (acknowledges _lastLsn, whatever auto is). Needs Node 20 or later and npm.
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
chroot --userspec=65534:65534 "$root" /usr/lib/postgresql/18/bin/postgres -D /data/db -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
  -c wal_level=logical >>"$work/log" 2>&1 &
pids+=("$!")
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error pg@8.23.1 pg-logical-replication@2.5.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { LogicalReplicationService, PgoutputPlugin } from 'pg-logical-replication';

const server = { host: '127.0.0.1', port: Number(process.argv[2]), user: 'postgres', database: 'postgres' };
const { version } = JSON.parse(readFileSync('node_modules/pg-logical-replication/package.json', 'utf8'));

async function connect() {
  for (let tries = 0; ; tries += 1) {
    const client = new pg.Client(server);
    try {
      await client.connect();
      return client;
    } catch (error) {
      if (tries === 100) throw error;
      await sleep(200);
    }
  }
}
const admin = await connect();
await admin.query('CREATE TABLE outbox (what text PRIMARY KEY)');
await admin.query('CREATE PUBLICATION changes FOR TABLE outbox');

/** A consumer of a slot that acknowledges nothing: the changes it is given until it is stopped. */
function consume(slot, acknowledge) {
  const service = new LogicalReplicationService(server, { acknowledge, flowControl: { enabled: true } });
  const given = [];
  service.on('error', () => {});
  service.on('data', async (_lsn, change) => {
    if (change.tag === 'insert') given.push(change.new.what);
  });
  service.subscribe(new PgoutputPlugin({ protoVersion: 1, publicationNames: ['changes'] }), slot).catch(() => {});
  return { given, stop: () => service.destroy() };
}

/** What a consumer is given, and what the next one is after the first was at work for three seconds and was stopped. */
async function givenTo(slot, acknowledge) {
  await admin.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [slot]);
  const first = consume(slot, acknowledge);
  await admin.query('INSERT INTO outbox VALUES ($1)', [slot]);
  for (let waits = 0; first.given.length === 0 && waits < 100; waits += 1) await sleep(100);
  await sleep(3_000);
  await first.stop();
  await sleep(500);
  const second = consume(slot, acknowledge);
  await sleep(3_000);
  await second.stop();
  return `${first.given.filter((what) => what === slot).length}, then ${second.given.filter((what) => what === slot).length}`;
}

const byDefault = await givenTo('default', { auto: false });
const without = await givenTo('without', { auto: false, timeoutSeconds: 0 });
const { rows } = await admin.query('SHOW server_version');
console.log(`pg-logical-replication@${version}, PostgreSQL ${rows[0].server_version}, node ${process.version}`);
console.log('expected: a change that was not acknowledged is delivered to the next consumer again: 1, then 1');
console.log(`seen:     auto: false, stopped after 3 s: ${byDefault}; with timeoutSeconds: 0 as well: ${without}`);
await admin.end();
const holds = byDefault === '1, then 0' && without === '1, then 1';
if (!holds) console.log('CHANGED: with auto: false nothing but the consumer acknowledges, or not even that is delivered again');
process.exit(holds ? 0 : 7);
JS
code=0
timeout 70 node run.mjs "$port" || code=$?
case $code in
  0) ;;
  7) exit 1 ;;
  *)
    tail -20 "$work/log" >&2
    exit 2
    ;;
esac
