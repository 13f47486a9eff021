#!/usr/bin/env bash
# dexie 4.4.7: a liveQuery with a limit keeps the row that an update moved behind the page, and lacks the one that moved up, for good; the same query made outside of it is right.
#
# What: liveQuery(() => db.jobs.orderBy('due').limit(2).toArray()). With the default cache of version 4 an update, or a put over a row that is there, is applied to the cached answer: the row is sorted anew among those that were on the page.
# Whether one beyond the page comes before it now nobody asks the database, neither then nor after the commit. A query that begins later and is the same gets that answer, too. With `cache: 'disabled'` each answer is that of the database.
# Why it hurts: the next jobs, the newest messages, the highest bids: the first row is put off to next week, and it is still the second of two; the one that is due now is not shown until something else on the page is inserted or deleted.
# Who should care: who has useLiveQuery() or liveQuery() with limit() on what changes its place. `new Dexie(name, { cache: 'disabled' })`, or the query in a transaction: db.transaction('r', db.jobs, ...).
# Source: dist/dexie.js, where the operations are applied to the cached result; pull request dexie/Dexie.js#1718 names limit() among what the cache has. The database of the test is fake-indexeddb.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error dexie@4.4.7 fake-indexeddb@6.2.8 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import 'fake-indexeddb/auto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import Dexie, { liveQuery } from 'dexie';

const { version } = JSON.parse(readFileSync('node_modules/dexie/package.json', 'utf8'));
/** Longer than it takes until a change has been told to all that watch. */
const TOLD_MS = 400;
const show = (jobs) => jobs.map(({ id, due }) => `${id} (due ${due})`).join(', ');

/** What is on the page of two after job 1, due at 1, was put off to 10: live, for one who begins to watch then, and in the database. */
async function putOff(cache) {
  const db = new Dexie(`jobs-${cache}`, { cache });
  db.version(1).stores({ jobs: 'id, due' });
  await db.jobs.bulkAdd([1, 2, 3, 4].map((number) => ({ id: number, due: number })));
  const page = () => db.jobs.orderBy('due').limit(2).toArray();
  let live = [];
  let newcomer = [];
  liveQuery(page).subscribe((jobs) => (live = jobs));
  await sleep(TOLD_MS);
  const before = show(live);
  await db.jobs.update(1, { due: 10 });
  await sleep(TOLD_MS);
  liveQuery(page).subscribe((jobs) => (newcomer = jobs));
  await sleep(TOLD_MS);
  return { before, live: show(live), newcomer: show(newcomer), database: show(await page()) };
}

const cached = await putOff('cloned');
const plain = await putOff('disabled');
console.log(`dexie@${version}, node ${process.version}`);
console.log('expected: of four jobs, due at 1 to 4, the next two are 2 and 3 once job 1 is put off to 10, live as in the database');
console.log(`seen:     with the cache, as by default: ${cached.live}; who begins to watch then sees ${cached.newcomer}; in the database: ${cached.database}`);
console.log(`          with cache: 'disabled': ${plain.live}; in the database: ${plain.database}`);
const right = '2 (due 2), 3 (due 3)';
const isRight = cached.before === '1 (due 1), 2 (due 2)' && cached.database === right && plain.live === right;
const holds = isRight && cached.live === '2 (due 2), 1 (due 10)' && cached.newcomer === cached.live;
if (!holds) console.log('CHANGED: the live page is that of the database');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 40 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 40 seconds' >&2; exit 3; }
exit "$code"
