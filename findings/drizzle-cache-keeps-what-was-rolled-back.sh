#!/usr/bin/env bash
# drizzle-orm 0.45.4: with a cache, what a transaction read of its own changes is answered to everybody after its rollback; and after an update that had to wait, or a transaction, was acknowledged, what was there before is answered.
#
# What: an insert, update or delete tells the cache (onMutate) in the moment in which it is sent, beside the query, not after it, nor after COMMIT. Who reads between that and the end of the write puts the old rows back, for the whole
# time of the entry; nothing drops them afterwards. A select within a transaction asks the shared cache, and fills it with what is not committed. drizzle() hands the cache to transactions as well, in whichever strategy.
# Why it hurts: no time limit was missed and no write came by another way: the program that wrote, and awaited it, reads the old balance, or one that never was. It is the busy rows, those that are waited for, that stay old.
# Who should care: who has `cache` in drizzle(), as with upstashCache(). Invalidate once more when the write, or the transaction, is over (db.$cache.invalidate), and read with $withCache(false) inside transactions.
# Source: pg-core/session.js, queryWithCache(): Promise.all of the query and onMutate(). The documentation lists transactions among what the cache does not handle: it does. The cache is one in memory that keeps what it is given, as
# the documentation explains how to write one; of upstashCache() the same functions are called. Needs chroot, Node 20 or later and npm.
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
npm install --no-audit --no-fund --ignore-scripts --loglevel=error drizzle-orm@0.45.4 pg@8.23.1 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { eq, getTableName, is, Table } from 'drizzle-orm';
import { Cache } from 'drizzle-orm/cache/core';
import { drizzle } from 'drizzle-orm/node-postgres';
import { integer, pgTable } from 'drizzle-orm/pg-core';
import pg from 'pg';

/** Keeps what it is given until one of its tables is written. */
class MemoryCache extends Cache {
  #entries = new Map();
  strategy() {
    return 'all';
  }
  async get(key) {
    return this.#entries.get(key)?.response;
  }
  async put(key, response, tables) {
    this.#entries.set(key, { response: JSON.parse(JSON.stringify(response)), tables });
  }
  async onMutate({ tables = [] }) {
    const names = [tables].flat().map((table) => (is(table, Table) ? getTableName(table) : table));
    for (const [key, entry] of this.#entries) if (entry.tables.some((name) => names.includes(name))) this.#entries.delete(key);
  }
}
const { version } = JSON.parse(readFileSync('node_modules/drizzle-orm/package.json', 'utf8'));
const pool = new pg.Pool({ connectionString: `postgres://postgres@127.0.0.1:${process.argv[2]}/postgres` });
const db = drizzle(pool, { cache: new MemoryCache() });
const accounts = pgTable('accounts', { id: integer().primaryKey(), balance: integer() });

for (let tries = 0; ; tries += 1) {
  try {
    await pool.query('CREATE TABLE accounts (id int PRIMARY KEY, balance int)');
    break;
  } catch (error) {
    if (tries === 100) throw error;
    await sleep(200);
  }
}
await pool.query('INSERT INTO accounts VALUES (1, 0)');
const set = (by, balance) => by.update(accounts).set({ balance }).where(eq(accounts.id, 1)).execute();
const read = async (by = db) => (await by.select().from(accounts).where(eq(accounts.id, 1)))[0].balance;
const stored = async () => (await pool.query('SELECT balance FROM accounts')).rows[0].balance;

async function untilSomebodyWaits() {
  for (let tries = 0; tries < 200; tries += 1) {
    const { rows } = await pool.query('SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted');
    if (rows[0].n === 1) return;
    await sleep(20);
  }
  throw new Error('nobody waits for the row');
}

/** What a read says after `write`, which begins with 100, and what is stored. */
async function after(write) {
  await set(db, 100);
  await read();
  await write();
  return { read: await read(), stored: await stored() };
}
const seen = {
  'an update': await after(() => set(db, 90)),
  'an update that waited for the row, which somebody read meanwhile': await after(async () => {
    const other = await pool.connect();
    await other.query('BEGIN; SELECT FROM accounts FOR UPDATE');
    const written = set(db, 90);
    await untilSomebodyWaits();
    await read();
    await other.query('COMMIT');
    other.release();
    await written;
  }),
  'a transaction, while which somebody read': await after(() =>
    db.transaction(async (tx) => {
      await set(tx, 90);
      await read();
    }),
  ),
  'a transaction that read what it had written, and was rolled back': await after(() =>
    db
      .transaction(async (tx) => {
        await set(tx, 90);
        await read(tx);
        throw new Error('not enough');
      })
      .catch(() => {}),
  ),
};
await pool.end();

console.log(`drizzle-orm@${version}, node ${process.version}`);
console.log('expected: what was committed last is read, since each write by drizzle drops what is cached of its table');
const lines = Object.entries(seen).map(([what, result]) => `after ${what}: ${result.read} is read, ${result.stored} is stored`);
console.log(`seen:     ${lines.join('\n          ')}`);
const holds = Object.values(seen).map((result) => `${result.read} ${result.stored}`).join() === '90 90,100 90,100 90,90 100';
if (!holds) console.log('CHANGED: a write drops what is cached when it is done, or a transaction leaves the cache alone');
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
