#!/usr/bin/env bash
# typeorm 1.1.1: save() of an outdated entity with a @VersionColumn is carried out, and sets the version back to the outdated one.
#
# What: save() compares nothing: UPDATE ... WHERE id. A version column is raised by one where the entity's version is the one in the table;
# where it differs it counts as a column that the caller changed, and is written as it stands in the entity. So 1, 2, 1.
# Why it hurts: the update in between is lost without an error, as the version was meant to prevent. And it comes back at who does it
# right: one that read version 1 with the old value and updates WHERE version = 1 is accepted, as is every cache and every ETag made of
# version 1.
# Who should care: who takes the column for optimistic locking, as JPA's is. Only an UPDATE with the version in its WHERE guards, and that
# only where nobody else uses save().
# Source: src/persistence/SubjectExecutor.ts and src/query-builder/UpdateQueryBuilder.ts (the column is raised unless it is among the
# changed ones); the documentation of entities on version columns.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  typeorm@1.1.1 sql.js@1.13.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { DataSource, EntitySchema } from 'typeorm';

const { version } = JSON.parse(readFileSync('node_modules/typeorm/package.json', 'utf8'));
console.log(`typeorm@${version}, node ${process.version}`);

const Account = new EntitySchema({
  name: 'account',
  columns: { id: { type: 'int', primary: true }, balance: { type: 'int' }, version: { type: 'int', version: true } },
});
const source = await new DataSource({ type: 'sqljs', entities: [Account], synchronize: true }).initialize();
const accounts = source.getRepository('account');
const stored = async () => {
  const { balance, version: number } = await accounts.findOneBy({ id: 1 });
  return `balance ${balance}, version ${number}`;
};

await accounts.save({ id: 1, balance: 100 });
const [first, second, third] = await Promise.all([1, 2, 3].map(() => accounts.findOneBy({ id: 1 })));

const steps = [await stored()];
first.balance -= 10;
await accounts.save(first);
steps.push(await stored());
second.balance -= 20;
const outcome = await accounts.save(second).then(() => 'saved', (error) => error.name);
steps.push(await stored());
const { affected } = await accounts
  .createQueryBuilder()
  .update()
  .set({ balance: third.balance - 30 })
  .where({ id: 1, version: third.version })
  .execute();

console.log('expected: of three that read version 1, the first is saved, the others are refused: balance 90, version 2');
console.log(`seen:     ${steps.join(' -> ')} (the second: ${outcome})`);
console.log(`          the third, UPDATE ... WHERE version = 1: ${affected} row; ${await stored()}`);

const holds = steps.join() === 'balance 100, version 1,balance 90, version 2,balance 80, version 1' && outcome === 'saved' && (await stored()).startsWith('balance 70');
if (!holds) console.log('CHANGED: an outdated entity is refused, or the version does not run backwards');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 40 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 40 seconds' >&2; exit 3; }
exit "$code"
