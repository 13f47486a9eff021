#!/usr/bin/env bash
# async-retry 1.3.3: the error that comes out is the one that came most often, not the one that ended it.
#
# What: three attempts: refused, refused, and then one that was sent and got no answer. The promise rejects with "refused".
# Why it hurts: "refused" says that nothing was sent, "no answer" that the write may be done. Whoever decides by the error whether a write
# may be repeated, or what to tell the client, decides wrongly, and only in the mixed cases that tests of one kind of error do not have.
# Who should care: who wraps anything that is not idempotent in async-retry or in `retry` (operation.mainError()).
# Source: lib/index.js of async-retry (reject(op.mainError())); lib/retry_operation.js of retry 0.13.1.
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
import retry from 'async-retry';

const { version } = JSON.parse(readFileSync('node_modules/async-retry/package.json', 'utf8'));
console.log(`async-retry@${version}, node ${process.version}`);

const attempts = ['refused: nothing was sent', 'refused: nothing was sent', 'no answer: the write may be done'];
let made = 0;
const attempt = async () => {
  throw new Error(attempts[made++]);
};
const { message } = await retry(attempt, { retries: 2, minTimeout: 1, maxTimeout: 1 }).catch((error) => error);
console.log(`expected: rejects with the error of the last attempt, "${attempts[2]}"`);
console.log(`seen:     after ${made} attempts rejects with "${message}"`);

const holds = made === 3 && message === attempts[0];
if (!holds) console.log('CHANGED: async-retry no longer rejects with the most frequent error');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
