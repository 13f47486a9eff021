#!/usr/bin/env bash
# workerd 2026-04-26 (Durable Objects, by miniflare 4.20260426.0): storage.sync() between a read and a write lets other requests in, as no other call of the storage does.
#
# What: while a Durable Object waits for its storage, no other request is delivered to it (the input gate): get, put, list, alarms and transactions
# between a read and a write are safe without any lock. sync() belongs to the same object and is awaited in the same way, but the gate is open
# meanwhile. With SQLite and without it, the same.
# Why it hurts: whoever adds sync() to be sure that something is on the disk takes the atomicity away from the code around it: ten increments
# that each answered are two. No error, and alone it is never seen.
# Who should care: counters, stocks and locks in Durable Objects; sync() belongs after the last write, or into blockConcurrencyWhile().
# Source: the documentation of Durable Objects, "Access storage" (input gates; sync).
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error miniflare@4.20260426.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { execFileSync } from 'node:child_process';
import { Miniflare } from 'miniflare';

const script = `
import { DurableObject } from 'cloudflare:workers';

const between = {
  nothing: () => undefined,
  list: (storage) => storage.list(),
  put: (storage) => storage.put('other', 1),
  transaction: (storage) => storage.transaction((inside) => inside.put('other', 2)),
  getAlarm: (storage) => storage.getAlarm(),
  sync: (storage) => storage.sync(),
};

export class Counter extends DurableObject {
  async fetch(request) {
    const { storage } = this.ctx;
    const call = new URL(request.url).pathname.slice(1);
    const count = (await storage.get(call)) ?? 0;
    await between[call](storage);
    await storage.put(call, count + 1);
    return new Response(String(count + 1));
  }
}

export default {
  fetch: (request, { COUNTER }) => COUNTER.get(COUNTER.idFromName('one')).fetch(request),
};`;

console.log(execFileSync('node_modules/.bin/workerd', ['--version'], { encoding: 'utf8' }).trim());
const found = [];
for (const useSQLite of [true, false]) {
  const miniflare = new Miniflare({
    modules: true,
    script,
    compatibilityDate: '2026-04-01',
    // It would ask for where it runs.
    cf: false,
    durableObjects: { COUNTER: { className: 'Counter', useSQLite } },
  });
  for (const call of ['nothing', 'list', 'put', 'transaction', 'getAlarm', 'sync']) {
    const increment = async () => Number(await (await miniflare.dispatchFetch(`http://localhost/${call}`)).text());
    found.push({ useSQLite, call, total: Math.max(...(await Promise.all(Array.from({ length: 10 }, increment)))) });
  }
  await miniflare.dispose();
}
console.log('expected: ten increments at the same time make 10, whatever call of the storage is awaited between read and write');
for (const useSQLite of [true, false]) {
  const totals = found.filter((one) => one.useSQLite === useSQLite).map(({ call, total }) => `${call} ${total}`);
  console.log(`seen:     ${useSQLite ? 'with SQLite' : 'without it '}: ${totals.join(', ')}`);
}
const holds = found.every(({ call, total }) => (call === 'sync' ? total < 10 : total === 10));
if (!holds) console.log('CHANGED: sync is as the other calls are, or they are as it is');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 60 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 60 seconds' >&2; exit 3; }
exit "$code"
