#!/usr/bin/env bash
# sequelize 6.37.8: with `version: true` destroy() of an outdated copy resolves, and deletes nothing; and Model.update() changes rows without their version.
#
# What: save() and update() of an instance compare the version, raise it, and reject with OptimisticLockError where another one came first. destroy() has the version in its WHERE, too,
# and does not look whether a row was there. Model.update() and upsert() write what they are given and leave the version as it is.
# Why it hurts: who is told that an account, a token or a share was deleted finds it in use. And a row that Model.update() has changed is overwritten by any copy read before it, which
# is what the version is there to prevent.
# Who should care: who turned optimistic locking on. increment() and decrement() of a model or an instance raise the version. A row must be looked for after destroy(); in an update of
# many rows the version has to be raised by hand (`version: sequelize.literal('version + 1')`).
# Source: src/model.js (destroy, and static update, in which versionAttribute does not occur); the manual on optimistic locking.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  sequelize@6.37.8 pg@8.23.1 pg-hstore@2.3.4 @electric-sql/pglite@0.5.14 @electric-sql/pglite-socket@0.2.17 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { DataTypes, Sequelize, literal } from 'sequelize';

const { version } = JSON.parse(readFileSync('node_modules/sequelize/package.json', 'utf8'));
console.log(`sequelize@${version}, node ${process.version}`);
const server = new PGLiteSocketServer({ db: await PGlite.create(), host: '127.0.0.1', port: 0 });
const port = await new Promise((resolve) => {
  server.addEventListener('listening', (event) => resolve(event.detail.port));
  server.start();
});
const sequelize = new Sequelize(`postgres://postgres:postgres@127.0.0.1:${port}/postgres`, { logging: false, pool: { max: 1 } });
const Account = sequelize.define('account', { balance: DataTypes.INTEGER }, { version: true });
await sequelize.sync();
const outcome = (promise) => promise.then(() => 'done', (error) => error.name);

/** Somebody else changes a row; what becomes of who has read it before. */
async function after(change, act) {
  const { id } = await Account.create({ balance: 100 });
  const outdated = await Account.findByPk(id);
  await change(id);
  const told = await outcome(act(outdated));
  return `${told}, balance ${(await Account.findByPk(id))?.balance}`;
}
const save = (copy) => copy.update({ balance: copy.balance + 1 });
const instance = async (id) => (await Account.findByPk(id)).update({ balance: 50 });

console.log('expected: an outdated copy is refused, whether it is saved or destroyed, and however the row was changed: SequelizeOptimisticLockError, balance 50');
const seen = [
  `saved: ${await after(instance, save)}`,
  `destroyed: ${await after(instance, (copy) => copy.destroy())}`,
  `saved after Model.update(): ${await after((id) => Account.update({ balance: 50 }, { where: { id } }), save)}`,
  `after upsert(): ${await after((id) => Account.upsert({ id, balance: 50 }), save)}`,
  `by hand: ${await after((id) => Account.update({ balance: 50, version: literal('version + 1') }, { where: { id } }), save)}`,
].join('; ');
console.log(`seen:     ${seen}`);
const surprise =
  'saved: SequelizeOptimisticLockError, balance 50; destroyed: done, balance 50; saved after Model.update(): done, balance 101; ' +
  'after upsert(): done, balance 101; by hand: SequelizeOptimisticLockError, balance 50';
if (seen !== surprise) {
  console.log('CHANGED: another outcome');
  process.exit(1);
}
process.exit(0);
JS
node run.mjs
