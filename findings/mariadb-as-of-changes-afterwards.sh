#!/usr/bin/env bash
# MariaDB 11.8.9: what a system-versioned table says AS OF a moment that is over changes afterwards: a version begins when its statement ran, not when it was committed.
#
# What: row_start and row_end are the times of the UPDATE. While its transaction is open everybody reads the old version AS OF now; once it is committed, the new one has been there all along.
# Why it hurts: AS OF is taken for reports, invoices and copies that can be made again: "as it was at midnight". One that was made while a transaction was open cannot be: the same query gives
# another answer, and the difference is in none of the two reports, and none of two exports "what changed since the last one" has it either.
# Who should care: who reads AS OF a recent moment, or takes changes by row_start > the last time. Ask for a moment that is older than the longest transaction, or have the table versioned by
# transactions (row_start GENERATED ALWAYS AS ROW START with BIGINT UNSIGNED), which answers by commits.
# Source: MariaDB's documentation of system-versioned tables, in its chapter on transaction-precise history. Needs Node 20 or later and npm.
set -euo pipefail

work=$(mktemp -d)
pids=()
end() {
  exec 2>/dev/null
  for pid in ${pids[@]+"${pids[@]}"}; do kill -9 "$pid" || true; done
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

# use NAME PROGRAM: sets cmd to what starts a program of $work/NAME with the libraries of its own release.
use() {
  local libc
  libc=$(dirname "$(find "$work/$1" -name libc.so.6 -print -quit)")
  cmd=("$(find "$libc" -name 'ld-linux*' -print -quit)" --library-path "$libc:$work/$1/usr/lib/${libc##*/}" "$work/$1/$2")
}

free_port() {
  local port
  for port in $(shuf -i 20000-29999 -n 100); do
    (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 2; }
done
fetch mariadb sid mariadb-server-core=1:11.8.9+ds-4 libaio1t64 libc6 libcap2 libcrypt1 libgcc-s1 libnuma1 libpcre2-8-0 libssl3t64 libstdc++6 libsystemd0 liburing2 libzstd1 zlib1g
use mariadb usr/sbin/mariadbd
port=$(free_port)
mkdir -p "$work/data/shop" "$work/data/mysql"
share=$work/mariadb/usr/share
[ -d "$share/mariadb" ] && share=$share/mariadb || share=$share/mysql
"${cmd[@]}" --no-defaults --user=root --basedir="$work/mariadb/usr" --datadir="$work/data" --lc-messages-dir="$share" --character-sets-dir="$share/charsets" \
  --skip-grant-tables --skip-networking=0 --bind-address=127.0.0.1 --port="$port" --socket="$work/socket" --innodb-use-native-aio=0 >"$work/log" 2>&1 &
pids+=("$!")
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error mysql2@3.24.6 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { setTimeout as sleep } from 'node:timers/promises';
import mysql from 'mysql2/promise';

const server = { host: '127.0.0.1', port: Number(process.argv[2]), user: 'root', database: 'shop' };

async function connect() {
  for (let tries = 0; ; tries += 1) {
    try {
      return await mysql.createConnection(server);
    } catch (error) {
      if (tries === 100) throw error;
      await sleep(200);
    }
  }
}
const [writer, reader] = [await connect(), await connect()];
const rows = async (text) => (await reader.query(text))[0];

/** The answer AS OF one moment, when asked then, and when asked after a transaction that was open then is committed; and what two exports of changes have, of which one is made then. */
async function twice(table) {
  await writer.query(`INSERT INTO ${table} (id, balance) VALUES (1, 100)`);
  await sleep(200);
  await writer.query('BEGIN');
  await writer.query(`UPDATE ${table} SET balance = 50 WHERE id = 1`);
  await sleep(200);
  const [{ moment }] = await rows('SELECT CAST(NOW(6) AS CHAR) AS moment');
  const ask = async () => (await rows(`SELECT balance FROM ${table} FOR SYSTEM_TIME AS OF TIMESTAMP '${moment}'`)).map(({ balance }) => balance).join();
  const then = await ask();
  await sleep(200);
  await writer.query('COMMIT');
  return { then, later: await ask(), moment };
}
// Made by mariadb-install-db otherwise.
await writer.query(`CREATE TABLE mysql.transaction_registry (transaction_id bigint unsigned NOT NULL PRIMARY KEY, commit_id bigint unsigned NOT NULL UNIQUE,
  begin_timestamp timestamp(6) NOT NULL DEFAULT 0, commit_timestamp timestamp(6) NOT NULL DEFAULT 0,
  isolation_level enum('READ-UNCOMMITTED', 'READ-COMMITTED', 'REPEATABLE-READ', 'SERIALIZABLE') NOT NULL,
  INDEX (begin_timestamp), INDEX (commit_timestamp, transaction_id)) ENGINE=InnoDB STATS_PERSISTENT=0`);
await writer.query('CREATE TABLE by_time (id int PRIMARY KEY, balance int) ENGINE=InnoDB WITH SYSTEM VERSIONING');
await writer.query(`CREATE TABLE by_transaction (id int PRIMARY KEY, balance int, s bigint unsigned GENERATED ALWAYS AS ROW START, e bigint unsigned GENERATED ALWAYS AS ROW END,
  PERIOD FOR SYSTEM_TIME (s, e)) ENGINE=InnoDB WITH SYSTEM VERSIONING`);
const byTime = await twice('by_time');
const since = await rows(`SELECT balance FROM by_time WHERE ROW_START > TIMESTAMP '${byTime.moment}'`);
const byTransaction = await twice('by_transaction');

const [{ name }] = await rows('SELECT version() AS name');
console.log(`MariaDB ${name}, node ${process.version}`);
console.log('expected: the answer AS OF one moment is the same whenever it is asked for: 100, since nothing else was committed then');
console.log(`seen:     asked for at that moment: ${byTime.then}, asked again: ${byTime.later}; changes since that moment: ${since.length};`);
console.log(`          versioned by transactions: ${byTransaction.then}, and ${byTransaction.later}`);
const holds = byTime.then === '100' && byTime.later === '50' && since.length === 0 && byTransaction.then === '100' && byTransaction.later === '100';
if (!holds) console.log('CHANGED: the past stays as it was answered, or changes with transactions, too');
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
