#!/usr/bin/env bash
# @markwylde/liferaft 1.4.0: with a log, a node votes for two candidates of the same term, and both lead it.
#
# What: on a request for a vote a node looks whether it voted already, then awaits the log's last entry, and only then notes its vote. A
# second request that comes during the await passes the same look. Without a log there is no await, and one vote.
# Why it hurts: election safety (at most one leader in a term) is what all of Raft rests on. Two candidates at once are what its random
# timeouts make rare, not impossible; here three healthy nodes, no message lost, have two leaders of term 1. The same await lies in wait
# in any protocol code in JavaScript: no threads does not mean no races.
# Who should care: who builds on a Raft of npm, or writes a consensus protocol in async functions.
# Source: index.js of the package, case 'vote'; the Raft paper, section 5.2.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  @markwylde/liferaft@1.4.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Raft from '@markwylde/liferaft';
import Log from '@markwylde/liferaft/log.js';

const { version } = JSON.parse(readFileSync('node_modules/@markwylde/liferaft/package.json', 'utf8'));
console.log(`@markwylde/liferaft@${version}, node ${process.version}`);

/** One election of three nodes over a network that loses nothing; a and b stand for it at the same time. */
async function election(name, log) {
  const nodes = new Map();
  class Node extends Raft {
    write(packet, callback) {
      const copy = JSON.parse(JSON.stringify(packet));
      setImmediate(() => nodes.get(this.address).emit('data', copy, (reply) => callback(undefined, reply)));
    }
  }
  const votes = [];
  const leaders = [];
  for (const address of ['a', 'b', 'c']) {
    // Long timeouts: nobody but a and b stands, and they do so once.
    const timing = { 'election min': '60 s', 'election max': '90 s', heartbeat: '10 s' };
    const node = new Node(address, { ...timing, ...log(join(process.cwd(), `${name}-${address}`)) });
    node.on('error', () => {});
    node.on('leader', () => leaders.push(`${address} of term ${node.term}`));
    if (address === 'c') node.on('vote', ({ address: candidate, term }, granted) => granted && votes.push(`${candidate} in term ${term}`));
    nodes.set(address, node);
  }
  for (const node of nodes.values()) for (const address of nodes.keys()) node.join(address);
  await sleep(500);
  nodes.get('a').promote();
  nodes.get('b').promote();
  await sleep(1_000);
  return { votes, leaders };
}

const without = await election('without', () => ({}));
const withLog = await election('with', (path) => ({ Log, path }));
console.log('expected: c votes once in term 1, and term 1 has one leader');
for (const [what, { votes, leaders }] of [['without a log', without], ['with a log   ', withLog]]) {
  console.log(`seen:     ${what}: c voted for ${votes.join(' and for ')}; leaders: ${leaders.join(', ')}`);
}

const holds = without.votes.length === 1 && withLog.votes.join() === 'a in term 1,b in term 1' && withLog.leaders.length === 2;
if (!holds) console.log('CHANGED: with a log, too, a node votes once in a term');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
