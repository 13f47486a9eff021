#!/usr/bin/env bash
# @keyv/etcd 2.1.1 under keyv 5.6.0: clear() of one namespace deletes every other key that begins with its name.
#
# What: keys are stored as "user:ann", but clear() deletes the prefix "user", so those of "users" and "user-locks" go as well, and what other
# programs keep under "user/". The iterator asks for "user:". A store that was given no namespace has "keyv", with the same effect on "keyv-locks".
# Why it hurts: "log all users out" releases the locks, forgets the idempotency keys, or takes the configuration of the service beside it; nothing is said of it, and
# which namespaces go depends on how somebody names one years later.
# Who should care: who shares one etcd, as one does. A namespace that ends in a colon of its own, or etcd3's namespace() under a client of one's own.
# Source: the adapter's dist/index.js (clear: delete().prefix(this.namespace); iterator: namespace + ":"); the readme of keyv on namespaces.
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

const namespaced = (namespace) => new Keyv({ store: new KeyvEtcd(url), namespace });
const [user, users, locks, session] = ['user', 'users', 'user-locks', 'session'].map(namespaced);
for (const store of [user, users, locks, session]) await store.set('ann', 'here');
await user.clear();
const look = async (store) => (await store.get('ann')) ?? 'gone';
const left = { users: await look(users), 'user-locks': await look(locks), session: await look(session) };

const other = new KeyvEtcd(url);
await other.client.put('user/limits').value('here');
await user.clear();
left['user/limits of another program'] = (await other.client.get('user/limits').string()) ?? 'gone';
await other.disconnect();

console.log('expected: clear() of "user" takes what was set through it');
console.log(`seen:     ${Object.entries(left).map(([name, state]) => `${name}: ${state}`).join(', ')}`);

const holds = left.users === 'gone' && left['user-locks'] === 'gone' && left.session === 'here' && left['user/limits of another program'] === 'gone';
if (!holds) console.log('CHANGED: clear() takes its own keys');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 45 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 45 seconds' >&2; exit 3; }
exit "$code"
