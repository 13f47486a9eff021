#!/usr/bin/env bash
# Mosquitto 2.1.2 with its SQLite persistence: messages of QoS 1 that were acknowledged in the last five seconds are gone after a kill, with plugin_opt_sync full as well.
#
# What: the plugin, new in 2.1, keeps one transaction open and commits it every plugin_opt_flush_period seconds, 5 unless set. PUBACK does not wait for it. plugin_opt_sync sets how well
# a commit is synced, not how often there is one.
# Why it hurts: the snapshot every 30 minutes was the reason to go over to a database. A publisher takes PUBACK for "the broker has it" and deletes its copy; a consumer that was away finds
# its session as it left it, and the messages of the last seconds missing. Changes of subscriptions and of what was delivered go the same way.
# Who should care: who has persistent sessions and a broker that can be killed, by a kernel that is out of memory or an update of its container. plugin_opt_flush_period 0 commits each.
# Source: plugins/persist-sqlite of mosquitto (flush_period). Needs Node 20 or later and npm.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# fetch NAME RELEASE PACKAGE=VERSION...: unpacks packages of a Debian release into $work/NAME, from the mirror that this machine uses, beside its own packages.
fetch() {
  local name=$1 release=$2 lists=$work/lists-$2 mirror
  shift 2
  mkdir -p "$work/$name" "$lists/partial" "$work/cache"
  : >"$work/status"
  mirror=$(apt-get indextargets --format "\$(REPO_URI)" | awk '!/security/ && !seen++')
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $release main" >"$lists.list"
  local apt=(apt-get -qq -o "Dir::Etc::sourcelist=$lists.list" -o Dir::Etc::sourceparts=- -o "Dir::State::Lists=$lists" -o "Dir::State::status=$work/status"
    -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Update::Error-Mode=any)
  "${apt[@]}" update || { echo "the mirror has no $release, or cannot be reached" >&2; exit 2; }
  if ! (cd "$work/$name" && "${apt[@]}" download "$@" >"$work/apt" 2>&1); then
    cat "$work/apt" >&2
    if grep -q 'not found' "$work/apt"; then echo "not available any more: $1 in $release" >&2; exit 3; fi
    exit 2
  fi
  echo "package: $1 of Debian $release"
  find "$work/$name" -maxdepth 1 -name '*.deb' -exec dpkg -x {} "$work/$name" \; -exec rm {} \;
}

# use NAME PROGRAM: sets cmd to what starts a program of $work/NAME with the libraries of its own release.
use() {
  local libc
  libc=$(dirname "$(find "$work/$1" -name libc.so.6 -print -quit)")
  cmd=("$(find "$libc" -name 'ld-linux*' -print -quit)" --library-path "$libc:$work/$1/usr/lib/${libc##*/}" "$work/$1/$2")
}

for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 2; }
done
fetch mosquitto sid mosquitto=2.1.2-3 libmosquitto1 libbsd0 libc6 libcap2 libcjson1 libdlt3 libedit2 libffi8 libgcc-s1 libgmp10 libgnutls30t64 libhogweed6t64 libidn2-0 libmd0 libmicrohttpd12t64 \
  libnettle8t64 libp11-kit0 libpicohttpparser1 libsqlite3-0 libssl3t64 libsystemd0 libtasn1-6 libtinfo6 libunistring5 libwrap0 libzstd1 zlib1g
use mosquitto usr/sbin/mosquitto
libraries=$(dirname "${cmd[0]}")
# The name by which this one is asked for is made when it is installed.
ln -s "$(basename "$(find "$work/mosquitto/usr/lib" -name 'libpicohttpparser.so.1.*')")" "$work/mosquitto/usr/lib/${libraries##*/}/libpicohttpparser.so.1"
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error mqtt@5.16.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import mqtt from 'mqtt';

const [plugin, ...broker] = process.argv.slice(2);
const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}
function start(folder) {
  const child = spawn(broker[0], [...broker.slice(1), '-c', `${folder}/conf`], { stdio: 'ignore' });
  running.add(child);
  return child;
}
async function kill(child) {
  child.kill('SIGKILL');
  await once(child, 'exit');
  running.delete(child);
}
/** A client, and whether the broker knew its session; it tries again until the broker is up. */
function connect(port, options, hear = () => {}) {
  const client = mqtt.connect({ host: '127.0.0.1', port, reconnectPeriod: 200, ...options });
  client.on('error', () => {});
  client.on('message', hear);
  return new Promise((resolve) => {
    client.on('connect', ({ sessionPresent }) => resolve({ client, sessionPresent }));
  });
}

/** How many of 20 acknowledged messages a consumer that was away is given, where the broker was killed some time after the last one, and started again. */
async function survive(name, settings, waitsMs) {
  mkdirSync(name);
  const port = await freePort();
  const lines = [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'user root', `plugin ${plugin}`, `plugin_opt_db_file ${process.cwd()}/${name}/db`, ...settings];
  writeFileSync(`${name}/conf`, `${lines.join('\n')}\n`);
  let child = start(name);
  const consumer = { clientId: 'consumer', clean: false };
  const first = await connect(port, consumer);
  await first.client.subscribeAsync('orders', { qos: 1 });
  await first.client.endAsync();
  // The subscription is older than any flush.
  await sleep(7_000);
  const { client: publisher } = await connect(port, { clientId: 'publisher' });
  let acknowledged = 0;
  for (let n = 0; n < 20; n += 1) {
    await publisher.publishAsync('orders', `order ${n}`, { qos: 1 });
    acknowledged += 1;
  }
  await sleep(waitsMs);
  await kill(child);
  publisher.end(true);
  child = start(name);
  let given = 0;
  const { client, sessionPresent } = await connect(port, consumer, () => {
    given += 1;
  });
  await sleep(2_000);
  client.end(true);
  await kill(child);
  return `${given} of ${acknowledged}${sessionPresent ? '' : ', no session'}`;
}
const [atOnce, full, later, zero] = await Promise.all([
  survive('at-once', [], 0),
  survive('full', ['plugin_opt_sync full'], 0),
  survive('later', [], 8_000),
  survive('zero', ['plugin_opt_flush_period 0'], 0),
]);
const { stdout } = spawnSync(broker[0], [...broker.slice(1), '-h'], { encoding: 'utf8' });
console.log(`${/mosquitto version [\d.]+/.exec(stdout)?.[0]}, node ${process.version}`);
console.log('expected: a message of QoS 1 that was acknowledged is delivered after a kill of a broker that keeps its state in SQLite: 20 of 20');
console.log(`seen:     killed at once: ${atOnce}; with plugin_opt_sync full: ${full}; killed 8 s later: ${later}; with plugin_opt_flush_period 0: ${zero}`);
const holds = atOnce === '0 of 20' && full === '0 of 20' && later === '20 of 20' && zero === '20 of 20';
if (!holds) console.log('CHANGED: what was acknowledged is kept, or not even after a flush');
process.exit(holds ? 0 : 7);
JS
code=0
timeout 80 node run.mjs "$(find "$work/mosquitto" -name mosquitto_persist_sqlite.so)" "${cmd[@]}" || code=$?
case $code in
  0) ;;
  7) exit 1 ;;
  *)
    echo "could not be run ($code)" >&2
    exit 2
    ;;
esac
