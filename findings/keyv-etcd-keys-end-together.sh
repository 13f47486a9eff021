#!/usr/bin/env bash
# @keyv/etcd 2.1.1 under keyv 5.6.0: all keys end together, ttl after the store was opened, whenever they were set; after that nothing is stored any more.
#
# What: the adapter takes one lease when it is constructed and writes every key under it; nobody keeps the lease alive. When it is over etcd deletes all keys, those set a
# moment ago as well, and every further set is refused, as the lease is not there. A ttl for one key, in turn, is known to keyv alone: has() says true when it is over.
# Why it hurts: sessions, idempotency keys and locks with ttl: 3600000 live for between nothing and an hour, and an hour after the start the process stores none: set()
# answers false, which few look at, and an error event. has() of a lock whose ttl is over says that it is held until somebody calls get().
# Who should care: who gives @keyv/etcd a ttl. etcd3's own lease() for each key, or another adapter; get() in place of has().
# Source: the adapter's dist/index.js (constructor: client.lease; set: this.lease.put; has: exists). etcd ends a lease with all its keys.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  keyv@5.6.0 @keyv/etcd@2.1.1 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }
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
import KeyvEtcd from '@keyv/etcd';
import Keyv from 'keyv';

/** A port that is free now. */
async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
const server = /Version: (\S+)/.exec(execFileSync(process.env.ETCD, ['--version'], { encoding: 'utf8' }))[1];
console.log(`keyv@${version('keyv')}, @keyv/etcd@${version('@keyv/etcd')}, etcd ${server}, node ${process.version}`);

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
const url = `127.0.0.1:${port}`;
for (let tries = 0; ; tries += 1) {
  const socket = connect(port, '127.0.0.1');
  const isReady = await once(socket, 'connect').then(() => true, () => false);
  socket.destroy();
  if (isReady) break;
  if (tries === 100) {
    console.error('etcd does not start');
    process.exit(3);
  }
  await sleep(100);
}
// It listens before it is elected.
const ready = new Keyv({ store: new KeyvEtcd(url), namespace: 'ready' });
ready.on('error', () => {});
for (let tries = 0; tries < 50 && !(await ready.set('is', 'it').catch(() => false)); tries += 1) await sleep(200);

const TTL_MS = 6_000;
const store = new Keyv({ store: new KeyvEtcd(url, { ttl: TTL_MS }), ttl: TTL_MS });
const errors = [];
store.on('error', (error) => errors.push(String(error.message).replace(/^Lease \S+ /, '')));
const first = await store.set('first', 1);
await sleep(4_500);
const second = await store.set('second', 2);
await sleep(4_000);
// "second" is four seconds old. The lease is over, and so it is where a busy server is a second late.
const left = (await store.get('second')) ?? 'gone';
const third = await store.set('third', 3).catch(() => 'rejected');
const stored = (await store.get('third')) ?? 'not there';

const single = new Keyv({ store: new KeyvEtcd(url), namespace: 'locks' });
await single.set('lock', 'ann', 500);
await sleep(900);
const has = await single.has('lock');
const got = (await single.get('lock')) ?? 'not there';

console.log('expected: each key lives 6 s from when it was set, and one can always be set');
console.log(`seen:     set at 0 s: ${first}; set at 4.5 s: ${second}, at 8.5 s: ${left}; set at 8.5 s: ${third}, then ${stored} (${errors[0] ?? 'no error'})`);
console.log('expected: has() is false 0.9 s after a set for 0.5 s');
console.log(`seen:     has(): ${has}, get(): ${got}`);

const holds = first === true && second === true && left === 'gone' && third !== true && stored === 'not there' && has && got === 'not there';
if (!holds) console.log('CHANGED: a key lives as long as it was set for');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 45 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 45 seconds' >&2; exit 3; }
exit "$code"
