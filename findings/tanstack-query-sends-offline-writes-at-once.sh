#!/usr/bin/env bash
# TanStack Query 5.108.4: writes that were made offline are all sent at the same moment when the network is back, so that the oldest can be the one that stays; version 4 sends one by one.
#
# What: a mutation that starts offline is paused. resumePausedMutations(), which the client calls itself when it is online again, started them one after the other in version 4 and in the
# first ones of 5; now it starts all at once and waits for all of them. Their order of arrival is up to the network, and each is answered with success.
# Why it hurts: name changed to "A", then to "B", then back online: two requests race, the server may end with "A", and the screen says "B". The same goes for add and remove, open and close.
# Who should care: who lets people write offline. scope: { id } on the mutations makes a queue of those that have the same one; a version or a sequence number makes the server see it.
# Source: the package's mutationCache (Promise.all over the paused ones). The documentation tells of scopes.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error five@npm:@tanstack/query-core@5.108.4 four@npm:@tanstack/query-core@4.44.0 \
  >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;

/** What a server has in the end that was given a, b and c while its client was offline, where the first request takes longest, and how many were under way at the same time. */
async function offline(name, options) {
  const { MutationObserver, QueryClient, onlineManager } = await import(name);
  const client = new QueryClient();
  const server = { value: 'old', most: 0, busy: 0, order: [] };
  const takesMs = { a: 300, b: 200, c: 100 };
  async function put(value) {
    server.busy += 1;
    server.most = Math.max(server.most, server.busy);
    await sleep(takesMs[value]);
    server.value = value;
    server.order.push(value);
    server.busy -= 1;
  }
  client.mount();
  onlineManager.setOnline(false);
  const told = ['a', 'b', 'c'].map((value) => new MutationObserver(client, { mutationFn: () => put(value), ...options }).mutate());
  await sleep(50);
  onlineManager.setOnline(true);
  const answers = await Promise.allSettled(told);
  client.unmount();
  return { ...server, resolved: answers.filter(({ status }) => status === 'fulfilled').length };
}
const seen = {
  [`@tanstack/query-core@${version('five')}`]: await offline('five'),
  [`@tanstack/query-core@${version('five')}, with a scope`]: await offline('five', { scope: { id: 'name' } }),
  [`@tanstack/query-core@${version('four')}`]: await offline('four'),
};
console.log(`node ${process.version}`);
console.log('expected: put a, b and c, made offline in that order, are made in that order: the server has c');
for (const [name, { value, most, order, resolved }] of Object.entries(seen)) {
  console.log(`seen:     ${name}: the server has ${value}; made: ${order.join(', ')}, up to ${most} at once; ${resolved} of 3 resolved`);
}
const ends = Object.values(seen).map(({ value, most, resolved }) => `${value}${most}${resolved}`);
const holds = ends.join() === 'a33,c13,c13';
if (!holds) console.log('CHANGED: the order is kept, or not even with a scope');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
