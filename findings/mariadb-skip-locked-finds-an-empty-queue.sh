#!/usr/bin/env bash
# MariaDB 11.8.9: with FOR UPDATE SKIP LOCKED a second worker is told that the queue is empty, while 19 jobs are ready and nobody has them: LIMIT 1 locks all that had to be sorted.
#
# What: InnoDB locks the rows that are read, and ORDER BY without an index for that very order reads all that are ready before LIMIT takes one. PostgreSQL locks what it returns. READ COMMITTED
# changes nothing, since all of them match; an index on (state, run_at) helps, until the order becomes priority DESC, run_at.
# Why it hurts: ten workers do the work of one, and nothing says so: no error, no wait, only empty answers, as if there were nothing to do. What was moved from
# PostgreSQL worked there.
# Who should care: who has a queue in a table of MariaDB or MySQL. ORDER BY the primary key, or an index that has the whole WHERE and ORDER BY in its order, directions included; EXPLAIN must not
# say "Using filesort".
# Source: MariaDB's and MySQL's documentation of InnoDB's locking reads (locking reads): the rows that are read are locked. Needs Node 20 or later and npm.
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
mkdir -p "$work/data/shop"
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
const workers = [await connect(), await connect()];
const [{ name }] = (await workers[0].query('SELECT version() AS name'))[0];

/** What two workers get that ask one after the other, each in a transaction that stays open, of 20 ready jobs. */
async function claims({ index, order, level }) {
  const table = `jobs${Math.random().toString(36).slice(2)}`;
  await workers[0].query(`CREATE TABLE ${table} (id int AUTO_INCREMENT PRIMARY KEY, state varchar(10) NOT NULL, priority int NOT NULL DEFAULT 0, run_at int NOT NULL
    ${index ? `, INDEX (${index})` : ''}) ENGINE=InnoDB`);
  for (let job = 1; job <= 20; job += 1) await workers[0].query(`INSERT INTO ${table} (state, run_at) VALUES ('ready', ${job})`);
  const got = [];
  for (const worker of workers) {
    await worker.query(`SET TRANSACTION ISOLATION LEVEL ${level}`);
    await worker.query('BEGIN');
    const [jobs] = await worker.query(`SELECT id FROM ${table} WHERE state = 'ready' ORDER BY ${order} LIMIT 1 FOR UPDATE SKIP LOCKED`);
    got.push(jobs.map(({ id }) => `job ${id}`)[0] ?? 'nothing');
  }
  for (const worker of workers) await worker.query('ROLLBACK');
  return got.join(', ');
}
const asked = [
  { index: '', order: 'id', level: 'REPEATABLE READ' },
  { index: '', order: 'run_at', level: 'REPEATABLE READ' },
  { index: '', order: 'run_at', level: 'READ COMMITTED' },
  { index: 'state', order: 'run_at', level: 'READ COMMITTED' },
  { index: 'state, run_at', order: 'run_at', level: 'READ COMMITTED' },
  { index: 'state, run_at', order: 'priority DESC, run_at', level: 'READ COMMITTED' },
];
console.log(`MariaDB ${name}, node ${process.version}`);
console.log('expected: of 20 ready jobs two workers that skip what is locked get one each');
const seen = [];
for (const way of asked) {
  seen.push(await claims(way));
  console.log(`seen:     ORDER BY ${way.order}, index: ${way.index || 'none'}, ${way.level}: ${seen.at(-1)}`);
}
const [both, one] = ['job 1, job 2', 'job 1, nothing'];
const holds = seen.join('; ') === [both, one, one, one, both, one].join('; ');
if (!holds) console.log('CHANGED: the second worker gets a job, or gets none where an index has the order');
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
