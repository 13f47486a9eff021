#!/usr/bin/env bash
# etcd3 1.1.2 with etcd 3.4.23: a transaction whose answer was lost is sent again, and reports succeeded: false for a write that it made.
#
# What: the client repeats every call up to three times after an error it takes for recoverable, a lost connection among them,
# transactions included. A compare-and-set that was applied meets its own write the second time, and its compare fails. A put is simply
# made twice.
# Why it hurts: succeeded: false is the certain answer "another was first, nothing was done". A counter is counted twice, a job is claimed
# by somebody who believes that he lost it, and the put that comes late overwrites what others wrote in between. etcd's own Go client is
# meant to repeat a write only where nothing was sent.
# Who should care: who elects, claims or counts with this client. faultHandling: { global: ... } with a policy that does not retry (and
# reads retried by the caller) is the way out.
# Source: lib/connection-pool.js (globalPolicy, maxAttempts 3); the Jepsen report on jetcd 0.8.2 and etcd-io/etcd#18424 on the same fault
# elsewhere.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  etcd3@1.1.2 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }
etcd=$(command -v etcd || true)
if [ -z "$etcd" ]; then
  # Debian's package (bookworm), unpacked here, not installed; with package lists of its own where there are none.
  command -v dpkg-deb >/dev/null || { echo 'needs etcd, or Debian packages' >&2; exit 3; }
  package='etcd-server=3.4.23-4+b4'
  fetch() { apt-get -q "$@" download "$package"; }
  if ! fetch >apt.log 2>&1; then
    mkdir -p lists/partial cache/archives/partial
    own=(-o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache")
    if ! { apt-get -q "${own[@]}" update && fetch "${own[@]}"; } >apt.log 2>&1; then
      cat apt.log >&2
      exit 3
    fi
  fi
  dpkg-deb -x etcd-server_*.deb server
  etcd=$work/server/usr/bin/etcd
fi
export ETCD=$etcd

cat >run.mjs <<'JS'
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Etcd3 } from 'etcd3';

/** A port that is free now. */
async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

const { version } = JSON.parse(readFileSync('node_modules/etcd3/package.json', 'utf8'));
const server = /Version: (\S+)/.exec(execFileSync(process.env.ETCD, ['--version'], { encoding: 'utf8' }))[1];
console.log(`etcd3@${version}, etcd ${server}, node ${process.version}`);

const port = await freePort();
const [clients, peers] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${await freePort()}`];
const etcd = spawn(
  process.env.ETCD,
  [
    ...['--name', 'one', '--data-dir', 'data', '--listen-client-urls', clients, '--advertise-client-urls', clients],
    ...['--listen-peer-urls', peers, '--initial-advertise-peer-urls', peers, '--initial-cluster', `one=${peers}`],
  ],
  { stdio: 'ignore' },
);
process.on('exit', () => etcd.kill('SIGKILL'));
process.on('SIGTERM', () => process.exit(3));

/** Between client and server; where told so, it cuts the connection when the next answer comes, as a dying load balancer does. */
let cutNext = false;
const proxy = createServer((client) => {
  const upstream = connect(port, '127.0.0.1');
  client.pipe(upstream);
  upstream.on('data', (data) => {
    // Frames without an answer (settings, acknowledgements, pings) are short.
    if (cutNext && data.length > 50) {
      cutNext = false;
      client.destroy();
    } else client.write(data);
  });
  for (const [one, other] of [[client, upstream], [upstream, client]]) one.on('error', () => {}).on('close', () => other.destroy());
}).listen(0, '127.0.0.1');
await once(proxy, 'listening');

const other = new Etcd3({ hosts: `127.0.0.1:${port}` });
for (let tries = 0; ; tries += 1) {
  if (await other.put('owner').value('nobody').then(() => true, () => false)) break;
  if (tries === 50) {
    console.error('etcd does not start');
    process.exit(3);
  }
  await sleep(300);
}

const client = new Etcd3({ hosts: `127.0.0.1:${proxy.address().port}` });
await client.get('owner').string();
cutNext = true;
const outcome = await client
  .if('owner', 'Value', '==', 'nobody')
  .then(client.put('owner').value('me'))
  .commit()
  .then(({ succeeded }) => `succeeded: ${succeeded}`, (error) => `an error (${error.constructor.name})`);
const owner = await other.get('owner').string();
console.log('expected: nobody -> me whose answer is lost: an error, as its outcome is not known');
console.log(`seen:     ${outcome}; owner is ${owner}`);

const holds = outcome === 'succeeded: false' && owner === 'me' && !cutNext;
if (!holds) console.log('CHANGED: a transaction is not repeated, or not reported as refused');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 45 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 45 seconds' >&2; exit 3; }
exit "$code"
