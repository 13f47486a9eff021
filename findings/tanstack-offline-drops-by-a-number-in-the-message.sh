#!/usr/bin/env bash
# @tanstack/offline-transactions 1.0.53: a write that timed out is thrown away, not tried again, where the error's message has 400, 401, 403 or 422 in it: "timeout of 400ms exceeded".
#
# What: what is tried again is decided by the text of the error. Any message with one of four numbers in it, and any AbortError, counts as refused for good: the transaction leaves the
# outbox and its changes are rolled back. The numbers are meant as statuses; axios' timeout of 400, 4000 or 40000 ms, a port 8403 that refuses, an order 14012 do as well.
# Why it hurts: the outbox is there for the very case that the net is slow or away. What was written offline is replayed after a reload, when nobody holds the promise that is
# rejected: a warning on the console is all that is left of it. With a timeout of 500 ms the same write arrives.
# Who should care: who has offline writes through axios, or aborts fetch by an AbortController of its own. Wrap the errors that are to be tried again into plain ones without numbers.
# Source: the package's retry/RetryPolicy (error.message.includes). A wrapped storage and leader stand for the browser's.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error --legacy-peer-deps @tanstack/offline-transactions@1.0.53 @tanstack/db@0.8.7 axios@1.21.1 >npm.log 2>&1 ||
  { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCollection, localOnlyCollectionOptions } from '@tanstack/db';
import { startOfflineExecutor } from '@tanstack/offline-transactions';
import axios from 'axios';

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
console.warn = () => {};

const sends = {
  'axios, timeout of 500 ms': (url, order) => axios.post(url, order, { timeout: 500 }),
  'axios, timeout of 400 ms': (url, order) => axios.post(url, order, { timeout: 400 }),
  'fetch, AbortSignal.timeout': (url) => fetch(url, { method: 'POST', signal: AbortSignal.timeout(400) }),
  'fetch, AbortController': (url) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 400);
    return fetch(url, { method: 'POST', signal: controller.signal });
  },
};

/** What becomes of an order whose first request is not answered in time; every later one is answered at once. */
async function place(send) {
  let requests = 0;
  let stored = 0;
  const server = http.createServer((request, response) => {
    request.resume();
    requests += 1;
    if (requests === 1) return;
    stored += 1;
    response.end('{}');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  const outbox = new Map();
  const orders = createCollection(localOnlyCollectionOptions({ id: url, getKey: ({ id }) => id }));
  let message;
  const executor = startOfflineExecutor({
    collections: { orders },
    jitter: false,
    storage: {
      get: async (key) => outbox.get(key) ?? null,
      set: async (key, value) => void outbox.set(key, value),
      delete: async (key) => void outbox.delete(key),
      keys: async () => [...outbox.keys()],
      clear: async () => outbox.clear(),
    },
    leaderElection: {
      requestLeadership: async () => true,
      releaseLeadership() {},
      isLeader: () => true,
      onLeadershipChange(tell) {
        tell(true);
        return () => {};
      },
    },
    onlineDetector: { subscribe: () => () => {}, notifyOnline() {}, isOnline: () => true, dispose() {} },
    mutationFns: {
      async place({ transaction }) {
        await send(url, transaction.mutations[0].modified).catch((error) => {
          message = `${error.name}: ${error.message}`;
          throw error;
        });
      },
    },
  });
  await executor.waitForInit();
  const transaction = executor.createOfflineTransaction({ mutationFnName: 'place', autoCommit: false });
  transaction.mutate(() => orders.insert({ id: 'order-1' }));
  transaction.commit().catch(() => {});
  // The first retry comes after a second.
  await sleep(6_000);
  return { outcome: stored === 1 ? 'stored by the second request' : `stored ${stored} times, ${outbox.size} in the outbox, shown: ${orders.has('order-1')}`, message };
}
const names = Object.keys(sends);
const seen = await Promise.all(names.map((name) => place(sends[name])));
console.log(`@tanstack/offline-transactions@${version('@tanstack/offline-transactions')}, axios@${version('axios')}, node ${process.version}`);
console.log('expected: a write that timed out stays in the outbox and is tried again');
names.forEach((name, at) => console.log(`seen:     ${name.padEnd(27)} ${seen[at].message}: ${seen[at].outcome}`));
const arrived = 'stored by the second request';
const dropped = 'stored 0 times, 0 in the outbox, shown: false';
const holds = seen.map(({ outcome }) => outcome).join('|') === [arrived, dropped, arrived, dropped].join('|');
if (!holds) console.log('CHANGED: a timeout is tried again whatever its message is, or another one is not');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 60 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 60 seconds' >&2; exit 3; }
exit "$code"
