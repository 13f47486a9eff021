#!/usr/bin/env bash
# @aws-lambda-powertools/idempotency 2.35.0 on Redis or Valkey: without a Lambda context a second call with the same key runs beside the first one.
#
# What: a record that is in progress carries the time at which its function is cut off, taken from the context. makeIdempotent() around a handler registers the context by itself, around
# any other function it does not, and warns. A record without that time is taken for one that was left behind: the second call overwrites it and runs. The third is refused,
# for ten seconds.
# Why it hurts: two calls at once are what the key is there for: a double click, a queue that delivers twice. Both charge, both are told that they did. With DynamoDB as the store
# such a record is in progress until it expires, and the second call is refused; the interface and the warning are the same.
# Who should care: who makes a function other than the handler idempotent, or runs it outside of Lambda. Call registerLambdaContext() with anything that tells the time left.
# Source: the package's CachePersistenceLayer (#putInProgressRecord: no inProgressExpiryTimestamp, hence "Orphaned record detected") and DynamoDBPersistenceLayer (the condition
# asks whether the attribute exists).
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm redis-server; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error --legacy-peer-deps @aws-lambda-powertools/idempotency@2.35.0 @redis/client@5.12.1 >npm.log 2>&1 ||
  { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency';
import { CachePersistenceLayer } from '@aws-lambda-powertools/idempotency/cache';
import { createClient } from '@redis/client';

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
const probe = createServer().listen(0, '127.0.0.1');
await once(probe, 'listening');
const { port } = probe.address();
probe.close();
await once(probe, 'close');
const server = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', ''], { stdio: 'ignore' });
process.on('exit', () => server.kill('SIGKILL'));
const client = createClient({ url: `redis://127.0.0.1:${port}`, socket: { reconnectStrategy: 100 } });
client.on('error', () => {});
await client.connect();
console.warn = () => {};

const persistenceStore = new CachePersistenceLayer({ client });
const context = { awsRequestId: '1', functionName: 'f', functionVersion: '1', invokedFunctionArn: 'a', memoryLimitInMB: '1', getRemainingTimeInMillis: () => 30_000 };

/** What three calls with one key, a fifth of a second apart, are told, and how many of them charged. */
async function charge(order, hasContext) {
  let charges = 0;
  const config = new IdempotencyConfig({});
  if (hasContext) config.registerLambdaContext(context);
  const pay = makeIdempotent(
    async ({ id }) => {
      charges += 1;
      await sleep(2_500);
      return `paid ${id}`;
    },
    { persistenceStore, config },
  );
  const answers = [];
  for (let call = 0; call < 3; call += 1) {
    answers.push(pay({ id: order }).catch((error) => (error.name === 'IdempotencyAlreadyInProgressError' ? 'refused' : error.name)));
    await sleep(200);
  }
  return `${(await Promise.all(answers)).join(', ')}; charged ${charges} times`;
}
const [without, withContext] = await Promise.all([charge('order-1', false), charge('order-2', true)]);
console.log(`@aws-lambda-powertools/idempotency@${version('@aws-lambda-powertools/idempotency')}, @redis/client@${version('@redis/client')}, node ${process.version}`);
console.log('expected: of three calls with one key, at the same time, one is made, whether a context is registered or not');
console.log(`seen:     without a context: ${without}`);
console.log(`          with a context:    ${withContext}`);
const holds = without === 'paid order-1, paid order-1, refused; charged 2 times' && withContext === 'paid order-2, refused, refused; charged 1 times';
if (!holds) console.log('CHANGED: a call without a context is in progress like any other');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 60 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 60 seconds' >&2; exit 3; }
exit "$code"
