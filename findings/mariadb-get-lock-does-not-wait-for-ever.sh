#!/usr/bin/env bash
# MariaDB 11.8.9: GET_LOCK(name, -1) waits for ever in MySQL; here it takes no lock, free or not, and says NULL with a warning: all that lock by it are at work at the same time.
#
# What: a negative time limit is a wrong one for MariaDB, and a wrong argument makes NULL, not an error. Drivers count the warning and throw nothing. RELEASE_LOCK() at the end says NULL, which
# nobody reads either.
# Why it hurts: what is asked to wait for ever is not looked at afterwards, since it can only return when the lock is had. The same program, with the same driver, excludes on MySQL and does nothing on
# MariaDB: migrations, numbers and imports run beside each other.
# Who should care: who moves from MySQL to MariaDB, or supports both. A large number of seconds means the same on both; and look for 1, whatever the limit was.
# Source: MySQL's documentation of GET_LOCK (a negative timeout is an infinite one); what MySQL does was not run here. Needs Node 20 or later and npm.
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
const [{ name }] = (await (await connect()).query('SELECT version() AS name'))[0];

/** How many of three are at work at the same time who ask for one lock and take it for theirs when GET_LOCK returns, and what they are told. */
async function together(limit) {
  let at = 0;
  let most = 0;
  const told = await Promise.all(
    [1, 2, 3].map(async () => {
      const db = await connect();
      const [[{ got }]] = await db.query(`SELECT GET_LOCK('job ${limit}', ${limit}) AS got`);
      at += 1;
      most = Math.max(most, at);
      await sleep(500);
      at -= 1;
      const [[{ freed }]] = await db.query(`SELECT RELEASE_LOCK('job ${limit}') AS freed`);
      await db.end();
      return `${got} and ${freed}`;
    }),
  );
  return { most, told: told.sort().join(', ') };
}
const seconds = await together(60);
const forEver = await together(-1);
console.log(`MariaDB ${name}, node ${process.version}`);
console.log('expected: of three that wait for one lock, for a minute or for ever, one is at work at a time');
console.log(`seen:     GET_LOCK(name, 60): ${seconds.most} at a time; told by GET_LOCK and RELEASE_LOCK: ${seconds.told}`);
console.log(`          GET_LOCK(name, -1): ${forEver.most} at a time; told by GET_LOCK and RELEASE_LOCK: ${forEver.told}`);
const holds = seconds.most === 1 && forEver.most === 3 && forEver.told === 'null and null, null and null, null and null';
if (!holds) console.log('CHANGED: a negative limit waits, or is an error');
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
