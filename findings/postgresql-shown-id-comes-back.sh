#!/usr/bin/env bash
# PostgreSQL 18.6: an id from a sequence that was shown within a transaction is given to another row after a crash.
#
# What: what nextval() does is durable with the commit of the transaction that asked, or with that of any later one. Until then it is in memory only, unless one of the 32 numbers that were
# logged ahead is left; the first one after a checkpoint never has that. RETURNING shows the id at once. On a quiet server nothing writes it down, however long the transaction is open.
# Why it hurts: the id has left the database by then: as an idempotency key, a payment's reference, a fencing token, a file's name. One backend that is killed for want of memory is enough,
# since PostgreSQL restarts all of them, and the next customer's order gets the number, and with it the answer that was given for the first one.
# Who should care: who calls something between INSERT ... RETURNING id, or nextval(), and COMMIT. Fetch the number in a transaction of its own, or take a UUID. "Sequences have gaps, but
# no number comes twice" holds for rollbacks only.
# Source: src/backend/commands/sequence.c (SEQ_LOG_VALS; the comment on taking a transaction id so that the commit writes it down). Needs Node 20 or later and npm.
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
const insert = async (client, what) => (await client.query('INSERT INTO orders (what) VALUES ($1) RETURNING id', [what])).rows[0].id;
let client = await connect();
await client.query('CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, what text)');
await insert(client, 'first');

/** Which id is shown in a transaction, and which one the next order is given, when that transaction ends by end(). */
async function shown(end) {
  // As one comes about every five minutes.
  await client.query('CHECKPOINT');
  await client.query('BEGIN');
  const id = await insert(client, 'the one that is being paid for');
  // The call to whoever takes the payment.
  await sleep(2_000);
  await end();
  const next = await insert(client, "the next customer's");
  return { id, next, isAgain: id === next };
}
const rollback = await shown(() => client.query('ROLLBACK'));
const kill = await shown(async () => {
  const { pid } = (await client.query('SELECT pg_backend_pid() AS pid')).rows[0];
  process.kill(pid, 'SIGKILL');
  await sleep(500);
  client = await connect();
});
const { rows } = await client.query('SHOW server_version');
console.log(`PostgreSQL ${rows[0].server_version}, node ${process.version}`);
console.log('expected: an id that a transaction was given is given to no other one: there are gaps instead');
console.log(`seen:     after a rollback: shown ${rollback.id}, the next order has ${rollback.next};`);
console.log(`          after its backend was killed: shown ${kill.id}, the next order has ${kill.next}`);
const holds = !rollback.isAgain && kill.isAgain;
if (!holds) console.log('CHANGED: the id does not come again, or it does after a rollback, too');
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
