#!/usr/bin/env bash
# knex, Sequelize, TypeORM, Drizzle and Kysely on MariaDB 11.8.9: an insert that ignores duplicates stores 32767 for 99999, and "EUR" for "EUROS", and resolves.
#
# What: on MariaDB and MySQL onConflict().ignore(), ignoreDuplicates, orIgnore() and ignore() become INSERT IGNORE, which makes a warning of nearly every error: what is too large is cut to what fits.
# What stands for it on PostgreSQL is ON CONFLICT DO NOTHING, which leaves out duplicates and refuses all else; so does the plain insert on MariaDB.
# Why it hurts: it is how retries are made harmless: "insert the payment if it is not there yet". The amount that did not fit is stored as another one, acknowledged, and the retry leaves it so.
# Who should care: who writes portable code with one of these, or moves it to MariaDB. ON DUPLICATE KEY UPDATE id = id ignores the duplicate only: each of them has a call for that.
# Source: the packages' query builders for MySQL; MariaDB's documentation of IGNORE. Needs Node 20 or later and npm.
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
npm install --no-audit --no-fund --ignore-scripts --loglevel=error --legacy-peer-deps \
  mysql2@3.24.6 knex@3.3.0 sequelize@6.37.8 typeorm@1.1.1 reflect-metadata@0.2.2 drizzle-orm@0.45.4 kysely@0.29.9 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import 'reflect-metadata';
import { drizzle } from 'drizzle-orm/mysql2';
import { mysqlTable, int, varchar } from 'drizzle-orm/mysql-core';
import knex from 'knex';
import { Kysely, MysqlDialect } from 'kysely';
import { createPool } from 'mysql2';
import mysql from 'mysql2/promise';
import { DataTypes, Sequelize } from 'sequelize';
import { DataSource, EntitySchema } from 'typeorm';

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
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
const admin = await connect();
const payment = { id: 'p1', amount: 99_999, currency: 'EUROS' };

/** For each library: the plain insert, and the one that leaves a duplicate as it is. */
const libraries = {
  async knex(insert) {
    const db = knex({ client: 'mysql2', connection: server });
    await insert(() => db('payments').insert(payment), () => db('payments').insert(payment).onConflict('id').ignore());
    await db.destroy();
  },
  async sequelize(insert) {
    const db = new Sequelize({ ...server, dialect: 'mysql', username: 'root', logging: false });
    const columns = { id: { type: DataTypes.STRING, primaryKey: true }, amount: DataTypes.INTEGER, currency: DataTypes.STRING };
    const model = db.define('payments', columns, { tableName: 'payments', timestamps: false });
    await insert(() => model.bulkCreate([payment]), () => model.bulkCreate([payment], { ignoreDuplicates: true }));
    await db.close();
  },
  async typeorm(insert) {
    const columns = { id: { type: 'varchar', primary: true }, amount: { type: 'int' }, currency: { type: 'varchar' } };
    const entity = new EntitySchema({ name: 'payments', tableName: 'payments', columns });
    const db = await new DataSource({ ...server, type: 'mysql', username: 'root', entities: [entity] }).initialize();
    const query = () => db.createQueryBuilder().insert().into('payments').values(payment);
    await insert(() => query().execute(), () => query().orIgnore().execute());
    await db.destroy();
  },
  async 'drizzle-orm'(insert) {
    const pool = mysql.createPool(server);
    const table = mysqlTable('payments', { id: varchar('id', { length: 20 }), amount: int('amount'), currency: varchar('currency', { length: 3 }) });
    await insert(() => drizzle(pool).insert(table).values(payment), () => drizzle(pool).insert(table).ignore().values(payment));
    await pool.end();
  },
  async kysely(insert) {
    const db = new Kysely({ dialect: new MysqlDialect({ pool: createPool(server) }) });
    await insert(() => db.insertInto('payments').values(payment).execute(), () => db.insertInto('payments').ignore().values(payment).execute());
    await db.destroy();
  },
};
const [[{ name }]] = await admin.query('SELECT version() AS name');
console.log(`MariaDB ${name}, mysql2@${version('mysql2')}, node ${process.version}`);
console.log('expected: a payment that does not fit into its columns is refused, or stored as it is, whether duplicates are ignored or not');
const seen = [];
for (const [library, run] of Object.entries(libraries)) {
  const answers = [];
  await run(async (...inserts) => {
    for (const insert of inserts) {
      await admin.query('CREATE OR REPLACE TABLE payments (id varchar(20) PRIMARY KEY, amount smallint NOT NULL, currency varchar(3) NOT NULL) ENGINE=InnoDB');
      const told = await Promise.resolve(insert()).then(
        () => 'resolved',
        () => 'rejected',
      );
      const [rows] = await admin.query('SELECT amount, currency FROM payments');
      answers.push([told, ...rows.map(({ amount, currency }) => `${amount} ${currency}`)].join(', '));
    }
  });
  console.log(`seen:     ${`${library}@${version(library)}`.padEnd(19)} plain: ${answers[0]}; where duplicates are ignored: ${answers[1]}`);
  seen.push(answers.join('; '));
}
const holds = seen.every((answers) => answers === 'rejected; resolved, 32767 EUR');
if (!holds) console.log('CHANGED: what does not fit is refused, or cut by the plain insert, too');
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
