#!/usr/bin/env bash
# express-idempotency 1.0.6: a repeated request is answered from the store, and its handler runs all the same.
#
# What: on a hit the middleware sends the stored response and then calls next(). The handler runs a second time, unless it asks
# isHit(request) itself and returns. The client sees the same answer each time, so nothing shows from outside.
# Why it hurts: the one thing that an idempotency key is for, that a retried charge charges once, is left to every single handler. A test
# that compares the two answers passes.
# Who should care: who puts the middleware in front of handlers that are there already.
# Source: services/idempotencyService.js (send, then next()); the README's example checks isHit in the handler.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  express-idempotency@1.0.6 express@5.3.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import express from 'express';
import { idempotency } from 'express-idempotency';

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
console.log(`express-idempotency@${version('express-idempotency')}, express@${version('express')}, node ${process.version}`);

let charged = 0;
const app = express();
app.use(express.json(), idempotency());
app.post('/charge', (request, response) => {
  charged += request.body.amount;
  response.json({ charged });
});
// The second answer of the handler comes too late, and is dropped here, as a usual error handler does.
app.use((error, request, response, next) => (response.headersSent ? response.end() : next(error)));

const server = app.listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const answers = [];
for (let number = 0; number < 3; number += 1) {
  const response = await fetch(`http://127.0.0.1:${server.address().port}/charge`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': 'order-7' },
    body: '{"amount":10}',
  });
  answers.push(await response.text());
}
console.log('expected: three requests with one idempotency key charge 10');
console.log(`seen:     answers ${answers.join(' ')}; charged ${charged}`);

const holds = charged === 30 && answers.every((answer) => answer === '{"charged":10}');
if (!holds) console.log('CHANGED: a hit no longer runs the handler');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
