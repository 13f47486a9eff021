#!/usr/bin/env bash
# PostgreSQL 18.6: UPDATE … WHERE id IN (SELECT … LIMIT 1 FOR UPDATE SKIP LOCKED) claims every job that is ready, once the queue was empty when it was last analysed.
#
# What: LIMIT belongs to one run of the subquery, and the planner may run it once for each row of the table outside. Where it expects one ready job it takes a nested loop; each run
# skips what the statement has changed already and locks the next job. One statement then returns all of them. Nothing has to run beside it.
# Why it hurts: the statistics say "hardly any job is ready" when a queue works well, so tests and new tables are served one by one, and production after the next autovacuum is
# not. Who takes rows[0] leaves the others marked as active and undone; who checks that the count is 1 sees a rollback, and the same again.
# Who should care: who has a queue in a table, and whoever limits an UPDATE or DELETE by such a subquery. `id = (SELECT …)`, or WITH … AS MATERIALIZED, is run once.
# Source: src/backend/executor/nodeLockRows.c (a row that this command has changed is skipped: TM_SelfModified). Needs Node 20 or later and npm.
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
    try {
      await client.connect();
      return client;
    } catch (error) {
      if (tries === 100) throw error;
      await sleep(200);
    }
  }
}
const client = await connect();
const next = "SELECT id FROM jobs WHERE state = 'ready' ORDER BY run_at LIMIT 1 FOR UPDATE SKIP LOCKED";
const claims = {
  'IN (SELECT …)': `UPDATE jobs SET state = 'active' WHERE state = 'ready' AND id IN (${next}) RETURNING id`,
  '= (SELECT …)': `UPDATE jobs SET state = 'active' WHERE state = 'ready' AND id = (${next}) RETURNING id`,
};

/** How many of 20 ready jobs one statement claims. */
async function claimed(statement) {
  await client.query("UPDATE jobs SET state = 'done'");
  await client.query("INSERT INTO jobs (state) SELECT 'ready' FROM generate_series(1, 20)");
  return (await client.query(statement)).rowCount;
}

await client.query("CREATE TABLE jobs (id bigserial PRIMARY KEY, state text NOT NULL, run_at timestamptz NOT NULL DEFAULT now())");
await client.query('CREATE INDEX ON jobs (state, run_at)');
const seen = {};
for (const [name, statement] of Object.entries(claims)) seen[name] = [await claimed(statement)];
// A day later: thousands of jobs are done, none is ready, and autovacuum has come by.
await client.query("INSERT INTO jobs (state) SELECT 'done' FROM generate_series(1, 50000)");
await client.query("UPDATE jobs SET state = 'done'");
await client.query('VACUUM ANALYZE jobs');
for (const [name, statement] of Object.entries(claims)) seen[name].push(await claimed(statement));

const { rows } = await client.query('SHOW server_version');
console.log(`PostgreSQL ${rows[0].server_version}, node ${process.version}`);
console.log('expected: LIMIT 1 claims one of 20 ready jobs');
for (const [name, [fresh, later]] of Object.entries(seen)) console.log(`seen:     id ${name.padEnd(13)} new table: ${fresh}; queue that was empty when it was analysed: ${later}`);
await client.end();
const holds = seen['IN (SELECT …)'].join() === '1,20' && seen['= (SELECT …)'].join() === '1,1';
if (!holds) console.log('CHANGED: one job is claimed, or the new table is read in another way');
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
