#!/usr/bin/env bash
# MariaDB 11.8.9: a transaction that lost a deadlock goes on outside of any transaction: what follows is stored at once, and knex, TypeORM and Drizzle resolve.
#
# What: the loser of a deadlock is rolled back as a whole, not only its statement, and the session has no transaction any more. Nothing that follows is refused, as PostgreSQL
# would: each statement is committed by itself, COMMIT commits nothing and is no error, and transaction() resolves with the callback's value.
# Why it hurts: the second half is stored without the first: the mail without the order, the credit without the debit, and no rollback takes it back, even where the callback
# throws later. All it takes is a catch around the statement, or a retry of it: "try again on ER_LOCK_DEADLOCK" is what one reads, and means the whole transaction.
# Who should care: who catches errors in a transaction on MariaDB or MySQL. After 1213 let the callback throw; a lock wait timeout (1205) undoes the statement only.
# Source: MariaDB's and MySQL's documentation of InnoDB's error handling tell of the rollback, not of what follows; the libraries send COMMIT and look for an error. Sequelize
# ends its transaction at a deadlock and refuses the next statement. Needs Node 20 or later and npm.
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
  mysql2@3.24.6 knex@3.3.0 sequelize@6.37.8 typeorm@1.1.1 reflect-metadata@0.2.2 drizzle-orm@0.45.4 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import 'reflect-metadata';
import { drizzle } from 'drizzle-orm/mysql2';
import knex from 'knex';
import mysql from 'mysql2/promise';
import { Sequelize } from 'sequelize';
import { DataSource } from 'typeorm';

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
const rows = async (text) => (await admin.query(text))[0];
await admin.query('CREATE TABLE stock (id int PRIMARY KEY, n int) ENGINE=InnoDB');
await admin.query('INSERT INTO stock VALUES (1, 0), (2, 0)');
await admin.query('CREATE TABLE made (who varchar(20), what varchar(20)) ENGINE=InnoDB');

/** The other transaction: it has changed more, so that it is not the one that is rolled back, and holds row 2. */
const other = await connect();
async function begin() {
  await other.query('BEGIN');
  for (let row = 0; row < 20; row += 1) await other.query("INSERT INTO made VALUES ('other', 'row')");
  await other.query('UPDATE stock SET n = n + 1 WHERE id = 2');
}

/** The callback of each transaction: an order, a deadlock that it catches, a mail. */
async function order(name, query) {
  await query(`INSERT INTO made VALUES ('${name}', 'order')`);
  await query('UPDATE stock SET n = n + 1 WHERE id = 1');
  const blocked = other.query('UPDATE stock SET n = n + 1 WHERE id = 1');
  for (;;) {
    const [{ waiting }] = await rows("SELECT count(*) AS waiting FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'");
    if (waiting > 0) break;
    await sleep(150);
  }
  const caught = await query('UPDATE stock SET n = n + 1 WHERE id = 2').then(
    () => 'no deadlock',
    (error) => (error.cause ?? error.original ?? error).code,
  );
  await blocked;
  await other.query('ROLLBACK');
  await query(`INSERT INTO made VALUES ('${name}', 'mail')`);
  return caught;
}

const transactions = {
  async knex(run) {
    const db = knex({ client: 'mysql2', connection: server });
    return db.transaction((trx) => run((text) => trx.raw(text))).finally(() => db.destroy());
  },
  async sequelize(run) {
    const db = new Sequelize({ dialect: 'mysql', host: server.host, port: server.port, username: 'root', database: 'shop', logging: false });
    return db.transaction((transaction) => run((text) => db.query(text, { transaction }))).finally(() => db.close());
  },
  async typeorm(run) {
    const db = await new DataSource({ type: 'mysql', host: server.host, port: server.port, username: 'root', database: 'shop' }).initialize();
    return db.transaction((manager) => run((text) => manager.query(text))).finally(() => db.destroy());
  },
  async 'drizzle-orm'(run) {
    const pool = mysql.createPool(server);
    return drizzle(pool)
      .transaction((tx) => run((text) => tx.execute(text)))
      .finally(() => pool.end());
  },
};

const [{ server: name }] = await rows('SELECT version() AS server');
console.log(`MariaDB ${name}, mysql2@${version('mysql2')}, node ${process.version}`);
console.log('expected: the mail is refused or the transaction rejected; order and mail are stored, or neither is');
const answers = {};
for (const [library, transaction] of Object.entries(transactions)) {
  await begin();
  const told = await transaction((query) => order(library, query)).then(
    (value) => `resolved after ${value}`,
    () => 'rejected',
  );
  const stored = await rows(`SELECT what FROM made WHERE who = '${library}'`);
  answers[library] = `${told}; stored: ${stored.map(({ what }) => what).join(', ') || 'nothing'}`;
  console.log(`seen:     ${`${library}@${version(library)}`.padEnd(19)} ${answers[library]}`);
}
const { sequelize, ...silent } = answers;
const isHalf = (answer) => answer === 'resolved after ER_LOCK_DEADLOCK; stored: mail';
const holds = sequelize === 'rejected; stored: nothing' && Object.values(silent).every(isHalf);
if (!holds) console.log('CHANGED: what follows a lost deadlock is refused, or Sequelize stores it');
process.exit(holds ? 0 : 7);
JS
code=0
timeout 90 node run.mjs "$port" || code=$?
case $code in
  0) ;;
  7) exit 1 ;;
  *)
    tail -20 "$work/log" >&2
    exit 2
    ;;
esac
