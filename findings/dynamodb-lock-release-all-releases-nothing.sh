#!/usr/bin/env bash
# @deliveryhero/dynamodb-lock 2.0.0: releaseAllLocks(), for a graceful shutdown, resolves and releases nothing: the locks stay in the table, and the next one waits for the whole lease.
#
# What: it stops the renewals, forgets the locks, and waits for a list of the locks themselves, which are no promises: no request is sent. releaseLock() deletes the lock.
# Why it hurts: at each deployment all that was locked stays so for a lease (20 seconds by default, minutes where somebody wanted to be safe), though the old process said that it had released it; a successor with
# `maxRetryCount` gives up. Whoever releases all and goes on cannot release them one by one any more, nor does anything renew them while they still look held.
# Who should care: who calls it at SIGTERM, as the readme has it. Keep the locks in a list, and await releaseLock() of each.
# Source: src/lock-client.ts, releaseAllLocks(): `releaseLockPromises.push(lock)`; the readme: "Release all locks created by this process (Graceful shutdown)". The table is one of dynalite.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error @deliveryhero/dynamodb-lock@2.0.0 @aws-sdk/client-dynamodb@3.1000.0 @aws-sdk/lib-dynamodb@3.1000.0 dynalite@4.0.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { CreateTableCommand, DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocument } from '@aws-sdk/lib-dynamodb';
import dynalite from 'dynalite';
import lib from '@deliveryhero/dynamodb-lock';

const versionOf = (name) => `${name}@${JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version}`;
const server = dynalite({ createTableMs: 0 });
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const dynamo = new DynamoDBClient({
  endpoint: `http://127.0.0.1:${server.address().port}`,
  region: 'local',
  credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
});
const keys = ['lockId', 'lockGroup'];
await dynamo.send(
  new CreateTableCommand({
    TableName: 'locks',
    KeySchema: keys.map((AttributeName, index) => ({ AttributeName, KeyType: index === 0 ? 'HASH' : 'RANGE' })),
    AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
    BillingMode: 'PAY_PER_REQUEST',
  }),
);
await waitUntilTableExists({ client: dynamo, maxWaitTime: 10, minDelay: 1 }, { TableName: 'locks' });
const documents = DynamoDBDocument.from(dynamo);
const open = () => lib.dynamoDBLockClientFactory(documents, { tableName: 'locks', partitionKey: keys[0], sortKey: keys[1] });
const leaseMs = 4000;
const options = { leaseDurationInMs: leaseMs, prolongEveryMs: 1000 };

/** What is in the table after a process released its lock, and how long the next one waits for it. */
async function handOver(name, release) {
  const [first, second] = [open(), open()];
  const lock = await first.lock('jobs', name, options);
  await release(first, lock);
  const { Items: left } = await documents.scan({ TableName: 'locks', ConsistentRead: true });
  const began = Date.now();
  const next = await second.lock('jobs', name, options);
  const ms = Date.now() - began;
  await second.releaseLock(next);
  return { left: left.length, waits: ms > leaseMs / 2, ms };
}
const one = await handOver('one', (client, lock) => client.releaseLock(lock));
const all = await handOver('all', (client) => client.releaseAllLocks());

console.log(`${versionOf('@deliveryhero/dynamodb-lock')}, ${versionOf('dynalite')}, node ${process.version}`);
console.log('expected: after releaseAllLocks(), as after releaseLock(), the lock is not in the table, and the next process has it at once');
const say = ({ left, waits, ms }) => `${left} in the table, the next one ${waits ? `waits ${(ms / 1000).toFixed(1)} s of a lease of ${leaseMs / 1000} s` : 'has it at once'}`;
console.log(`seen:     after releaseLock():     ${say(one)}`);
console.log(`          after releaseAllLocks(): ${say(all)}`);
const holds = one.left === 0 && !one.waits && all.left === 1 && all.waits;
if (!holds) console.log('CHANGED: all locks are released, or one is not');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 60 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 60 seconds' >&2; exit 3; }
exit "$code"
