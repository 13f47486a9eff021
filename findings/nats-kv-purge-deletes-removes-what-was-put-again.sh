#!/usr/bin/env bash
# @nats-io/kv 3.4.0: purgeDeletes() of a bucket with history removes keys that are there: those that were once deleted, and put again since, as long as the history still holds the deletion.
#
# What: it lists the whole history, where the clients of other languages list the last entry of each key, and empties the subject of each deletion that is older than half an hour. A live value that is newer goes with it, without a marker: no
# watcher is told, and get() says null. Where the deletion is younger, the live value stays and loses its history. With history 1 (the default) only what is deleted is removed.
# Why it hurts: it is the housekeeping that one runs each night. The lock that was released yesterday and is held now is free, and a second owner's create() succeeds; the setting that was reset and set anew is gone.
# Who should care: who keeps a bucket with history in order from JavaScript. purgeDeletes() is a method of the exported class Bucket, which is what Kvm gives; the type KV does not name it. Purge the keys whose get() says DEL or PURGE,
# or have markers end by themselves with markerTTL.
# Source: lib/kv.js, purgeDeletes(): `this.history({ key: ">" })`; what it is to do: issue 96 of nats-io/nats-architecture-and-design ("watcher all"). Needs Node 20 or later and npm.
set -euo pipefail

work=$(mktemp -d)
pids=()
end() {
  exec 2>/dev/null
  for pid in ${pids[@]+"${pids[@]}"}; do kill -9 "$pid" || true; done
  wait || true
  rm -rf "$work"
}
trap end EXIT

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

free_port() {
  local port
  for port in $(shuf -i 20000-29999 -n 100); do
    (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 2; }
done
fetch nats sid nats-server=2.15.1-1 libc6
use nats usr/sbin/nats-server
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  @nats-io/kv@3.4.0 @nats-io/jetstream@3.4.0 @nats-io/transport-node@3.4.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }
port=$(free_port)
"${cmd[@]}" -a 127.0.0.1 -p "$port" -js -sd "$work/data" >"$work/log" 2>&1 &
pids+=("$!")

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kvm } from '@nats-io/kv';
import { connect } from '@nats-io/transport-node';

const { version } = JSON.parse(readFileSync('node_modules/@nats-io/kv/package.json', 'utf8'));
const nats = await connect({ servers: `127.0.0.1:${process.argv[2]}`, waitOnFirstConnect: true, maxReconnectAttempts: 100, reconnectTimeWait: 200 });

/** A new bucket; once the server is there its streams may take a moment. */
async function create(bucket, history) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await new Kvm(nats).create(bucket, { history });
    } catch (error) {
      if (tries === 100) throw error;
      await sleep(200);
    }
  }
}

/** A lock that was released and taken again, a key that was never deleted, and one that is deleted: what is left of them when deletions that are older than a second, or than half an hour, are purged. */
async function purge(history, olderMs) {
  const kv = await create(`history-${history}-${olderMs}`, history);
  await kv.put('plain', 'here');
  await kv.create('lock', 'ann');
  await kv.delete('lock');
  await kv.put('old', 'x');
  await kv.delete('old');
  await sleep(1_500);
  const revision = await kv.create('lock', 'bob');
  const told = [];
  const watch = await kv.watch({ key: 'lock' });
  const watching = (async () => {
    for await (const { value, operation } of watch) told.push(operation === 'PUT' ? new TextDecoder().decode(value) : operation);
  })();
  await kv.purgeDeletes(olderMs);
  const lock = await kv.get('lock');
  const plain = (await kv.get('plain'))?.string();
  const old = (await kv.get('old'))?.operation ?? 'gone';
  await sleep(500);
  watch.stop();
  await watching;
  const second = await kv.create('lock', 'cid').then(() => 'has it', () => 'refused');
  return { lock: lock?.revision === revision ? lock.string() : `${lock?.string() ?? 'gone'}`, plain, old, told: told.join(', '), second };
}
const one = await purge(1, 1_000);
const five = await purge(5, 1_000);
const young = await purge(5, undefined);
await nats.close();
const tell = ({ lock, plain, old, told, second }) => `lock: ${lock}; its watcher was told: ${told}; a second owner ${second}; plain: ${plain}; what is deleted: ${old}`;
console.log(`@nats-io/kv@${version}, node ${process.version}`);
console.log('expected: the markers of what is deleted are removed; the lock, which was released 1.5 s ago and is held by bob, stays his');
console.log(`seen:     history 1, older than a second: ${tell(one)}`);
console.log(`          history 5, older than a second: ${tell(five)}`);
console.log(`          history 5, older than half an hour (the default): ${tell(young)}`);
const isKept = ({ lock, second, plain }) => lock === 'bob' && second === 'refused' && plain === 'here';
const holds = isKept(one) && isKept(young) && one.old === 'gone' && five.lock === 'gone' && five.told === 'bob' && five.second === 'has it' && five.plain === 'here';
if (!holds) console.log('CHANGED: what is there stays');
process.exit(holds ? 0 : 7);
JS
code=0
timeout 100 node run.mjs "$port" || code=$?
case $code in
  0) ;;
  7) exit 1 ;;
  *)
    cat "$work/log" >&2
    exit 2
    ;;
esac
