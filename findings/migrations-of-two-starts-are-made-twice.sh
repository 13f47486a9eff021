#!/usr/bin/env bash
# Drizzle, TypeORM and Umzug (Sequelize) on PostgreSQL 18.6: two instances that start at the same moment make one migration twice: a price of 5 euros is 50,000 cents; knex and Kysely make it once.
#
# What: each looks which migrations are left, makes them, and notes them. Nothing is locked from the look to the note, so the second instance waits for the first one's rows and then makes the same
# change once more. A transaction around it does not help at READ COMMITTED. Umzug's note has a unique key, which refuses the second one when its change is made.
# Why it hurts: migrate() at the start is what the guides show, and two replicas, or the old and the new one of a deployment, start together. CREATE TABLE fails loudly in the second one; an UPDATE,
# an INSERT of defaults or a backfill goes through, and with Drizzle and TypeORM both report success.
# Who should care: who migrates where the application starts. One job that migrates before them, or pg_advisory_lock around it on a connection of its own.
# Source: drizzle-orm's pg-core/dialect (migrate), TypeORM's MigrationExecutor, umzug's up(); knex has a lock table, Kysely an advisory lock. Needs Node 20 or later and npm.
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
npm install --no-audit --no-fund --ignore-scripts --loglevel=error --legacy-peer-deps \
  pg@8.23.1 drizzle-orm@0.45.4 typeorm@1.1.1 reflect-metadata@0.2.2 sequelize@6.37.8 umzug@3.8.3 knex@3.3.0 kysely@0.29.9 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import 'reflect-metadata';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import knex from 'knex';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import pg from 'pg';
import { Sequelize } from 'sequelize';
import { DataSource } from 'typeorm';
import { SequelizeStorage, Umzug } from 'umzug';

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
const url = `postgres://postgres@127.0.0.1:${process.argv[2]}/postgres`;

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
/** The migrations: the table, which is there since last year, and the one that comes with today's version. */
const steps = [
  ['m1700000000001', "CREATE TABLE prices AS SELECT 5 AS amount"],
  ['m1700000000002', 'UPDATE prices SET amount = amount * 100'],
];
const files = (count) => steps.slice(0, count);

/** For each library: what an instance of the first or of the second version does at its start. */
const libraries = {
  async 'drizzle-orm'(count) {
    const folder = `drizzle-${count}`;
    mkdirSync(`${folder}/meta`, { recursive: true });
    files(count).forEach(([name, text]) => writeFileSync(`${folder}/${name}.sql`, text));
    const entries = files(count).map(([tag], idx) => ({ idx, version: '7', when: Number(tag.slice(1)), tag, breakpoints: true }));
    writeFileSync(`${folder}/meta/_journal.json`, JSON.stringify({ version: '7', dialect: 'postgresql', entries }));
    const pool = new pg.Pool({ connectionString: url });
    await migrate(drizzle(pool), { migrationsFolder: folder }).finally(() => pool.end());
  },
  async typeorm(count) {
    const migrations = files(count).map(([name, text]) => {
      const Migration = class {
        name = name;
        up(runner) {
          return runner.query(text);
        }
        down() {}
      };
      Object.defineProperty(Migration, 'name', { value: name });
      return Migration;
    });
    const source = await new DataSource({ type: 'postgres', url, migrations, migrationsTableName: 'typeorm_migrations' }).initialize();
    await source.runMigrations().finally(() => source.destroy());
  },
  async umzug(count) {
    const sequelize = new Sequelize(url, { logging: false });
    const migrations = files(count).map(([name, text]) => ({ name, up: () => sequelize.query(text) }));
    await new Umzug({ migrations, storage: new SequelizeStorage({ sequelize }), logger: undefined }).up().finally(() => sequelize.close());
  },
  async knex(count) {
    const db = knex({ client: 'pg', connection: url });
    const migrationSource = {
      getMigrations: async () => files(count),
      getMigrationName: ([name]) => name,
      getMigration: async ([, text]) => ({ up: (trx) => trx.raw(text), down: async () => {} }),
    };
    await db.migrate.latest({ migrationSource }).finally(() => db.destroy());
  },
  async kysely(count) {
    const db = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url }) }) });
    const migrations = Object.fromEntries(files(count).map(([name, text]) => [name, { up: (trx) => sql.raw(text).execute(trx) }]));
    const { error } = await new Migrator({ db, provider: { getMigrations: async () => migrations } }).migrateToLatest();
    await db.destroy();
    if (error) throw error;
  },
};
const admin = await connect();
const { rows } = await admin.query('SHOW server_version');
console.log(`PostgreSQL ${rows[0].server_version}, node ${process.version}`);
console.log('expected: a migration that two instances start at the same moment is made once: 500 cents; one of the two may be refused');
const seen = {};
for (const [library, start] of Object.entries(libraries)) {
  await admin.query('DROP TABLE IF EXISTS prices');
  await start(1);
  // Both come to the table at the same moment, as they do when it is a large one.
  await admin.query('BEGIN');
  await admin.query('LOCK TABLE prices IN EXCLUSIVE MODE');
  const told = Promise.allSettled([start(2), start(2)]);
  await sleep(2_000);
  await admin.query('COMMIT');
  const resolved = (await told).filter(({ status }) => status === 'fulfilled').length;
  const [{ amount }] = (await admin.query('SELECT amount FROM prices')).rows;
  seen[library] = `${resolved} ${amount}`;
  const name = library === 'umzug' ? `umzug@${version('umzug')} with sequelize@${version('sequelize')}` : `${library}@${version(library)}`;
  console.log(`seen:     ${name}: ${resolved} of 2 resolved, a price of ${amount}`);
  for (const { reason } of await told) if (reason) console.log(`          (${String(reason.message).split('\n')[0]})`);
}
const holds = Object.values(seen).join() === '2 50000,2 50000,1 50000,2 500,2 500';
if (!holds) console.log('CHANGED: the migration is made once, or twice by knex or Kysely');
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
