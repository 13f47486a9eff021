#!/usr/bin/env bash
# level-ttl 3.1.1: a key that had a ttl, and is put again without one, keeps the old one: the new value is removed when the old one's time is over; so is what is put after a del() within batch().
#
# What: only a put() with a ttl touches the books of the ttl, and only del() strikes a key out; a put() without one, and the "del" of a batch() without one, leave its entry there. The README: "If you put the same entry twice, you refresh the
# TTL to the last put operation".
# Why it hurts: a reservation that is paid is put again without a ttl, and is gone a quarter of an hour later, acknowledged, read and right until then; a lease that is released in a batch and taken for good ends by the former holder's time.
# Who should care: who makes lasting what was put for a time. del() the key by itself, wait for it, and then put it: two steps, which others see.
# Source: level-ttl.js, put() and batch(): ttloff() is not called without a ttl. In Redis SET takes the expiry away.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error level-ttl@3.1.1 levelup@5.1.1 encoding-down@7.1.0 memdown@6.1.1 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import encode from 'encoding-down';
import ttl from 'level-ttl';
import levelup from 'levelup';
import memdown from 'memdown';

process.removeAllListeners('warning');
const { version } = JSON.parse(readFileSync('node_modules/level-ttl/package.json', 'utf8'));
const db = ttl(levelup(encode(memdown())), { checkFrequency: 200 });
const put = promisify(db.put);
const del = promisify(db.del);
const batch = promisify(db.batch);
const TTL = { ttl: 1_000 };

await put('paid', 'reserved', TTL);
await put('paid', 'sold', {});
await put('released in a batch', 'ann', TTL);
await batch([{ type: 'del', key: 'released in a batch' }], {});
await put('released in a batch', 'bob', {});
await put('released by del()', 'ann', TTL);
await del('released by del()', {});
await put('released by del()', 'bob', {});
await put('put anew with a ttl of a minute', 'ann', TTL);
await put('put anew with a ttl of a minute', 'bob', { ttl: 60_000 });
const keys = ['paid', 'released in a batch', 'released by del()', 'put anew with a ttl of a minute'];
const read = async () => Object.fromEntries(await Promise.all(keys.map(async (key) => [key, await db.get(key).then(String, () => 'gone')])));
const before = await read();
await sleep(2_000);
const after = await read();
await db.close();

console.log(`level-ttl@${version}, node ${process.version}`);
console.log('expected: what is put without a ttl stays, whatever was there before it');
console.log(`seen:     ${keys.map((key) => `${key}: ${before[key]}, a second later: ${after[key]}`).join('\n          ')}`);
const [paid, batched, deleted, longer] = keys;
const holds = before[paid] === 'sold' && after[paid] === 'gone' && before[batched] === 'bob' && after[batched] === 'gone' && after[deleted] === 'bob' && after[longer] === 'bob';
if (!holds) console.log('CHANGED: it stays');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
