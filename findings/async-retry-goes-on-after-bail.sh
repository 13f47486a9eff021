#!/usr/bin/env bash
# async-retry 1.3.3: bail(error) followed by a throw rejects at once, and goes on trying in the background.
#
# What: bail() only rejects the promise. Whether the attempts end is up to the attempt: if it returns, they do; if it throws (bail(error);
# throw error, or a helper that throws after bail), the next attempt is scheduled as ever, with nobody left to see it.
# Why it hurts: the caller has been told "it failed, it is not tried again", tells its client or tries elsewhere, and the write is sent
# again seconds later: a lost update, or a lock that is taken with no owner.
# Who should care: who uses bail() in an attempt that writes. `throw Object.assign(error, { bail: true })` ends both.
# Source: lib/index.js of the package: bail() and onError(). The README's example returns after bail and does not say why.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  async-retry@1.3.3 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import retry from 'async-retry';

const { version } = JSON.parse(readFileSync('node_modules/async-retry/package.json', 'utf8'));
console.log(`async-retry@${version}, node ${process.version}`);

const OPTIONS = { retries: 3, minTimeout: 50, maxTimeout: 50 };
let sent = 0;
const told = await retry(async (bail) => {
  sent += 1;
  const error = new Error('forbidden');
  bail(error);
  throw error;
}, OPTIONS).catch((error) => error);
const atRejection = sent;
await sleep(1_000);
console.log('expected: after bail() the promise rejects, and nothing is sent any more');
console.log(`seen:     rejected with "${told.message}" after ${atRejection} attempt; a second later ${sent} attempts had been made`);

const holds = atRejection === 1 && sent === 4;
if (!holds) console.log('CHANGED: bail() ends the attempts');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
