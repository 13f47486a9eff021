#!/usr/bin/env bash
# @nats-io/kv 3.4.0: delete() and purge() with `previousSeq: 0` remove the key, whatever its revision; put() with it is refused where the key is there.
#
# What: a revision of 0 is what an absent key has; put(), and create(), which is built on it, send it. delete() and purge() leave it out, and are then without a condition.
# Why it hurts: "remove it if it is as I saw it", with `entry?.revision ?? 0`, is how a lock is given back, a cache entry dropped, a replica cleaned up: who saw nothing there removes what another one has put since, and is told that it was made.
# With any other outdated revision he is refused.
# Who should care: who removes by a revision from a variable. Do not call delete() where nothing was there.
# Source: lib/kv.js, _deleteOrPurge(): `if (opts?.previousSeq)`; lib/types.d.ts: "If set the KV must be at the current sequence or the put will fail". Needs Node 20 or later and npm.
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
// Once the server is there its streams may take a moment.
let kv;
for (let tries = 0; kv === undefined && tries < 100; tries += 1) {
  kv = await new Kvm(nats).create('locks').catch(() => undefined);
  if (kv === undefined) await sleep(200);
}

/** Ann looks, Bob takes the lock, Ann acts on what she saw: what she is told, and who has the lock then? */
async function act(name, before, action) {
  if (before !== undefined) await kv.put(name, before);
  const seen = (await kv.get(name))?.revision ?? 0;
  await kv.put(name, 'bob');
  const told = await action(name, seen).then(() => 'made', () => 'refused');
  const entry = await kv.get(name);
  return { told, holder: entry?.operation === 'PUT' ? entry.string() : 'nobody' };
}
const remove = (name, previousSeq) => kv.delete(name, { previousSeq });
const purge = (name, previousSeq) => kv.purge(name, { previousSeq });
const put = (name, previousSeq) => kv.put(name, 'ann', { previousSeq });
const results = {
  'she saw nothing, delete()': await act('a', undefined, remove),
  'she saw nothing, purge()': await act('b', undefined, purge),
  'she saw nothing, put()': await act('c', undefined, put),
  'she saw an older value, delete()': await act('d', 'ann', remove),
};
await nats.close();
console.log(`@nats-io/kv@${version}, node ${process.version}`);
console.log('expected: what is done by the revision that was seen is refused where somebody has put the key since');
console.log(`seen:     ${Object.entries(results).map(([name, { told, holder }]) => `${name}: ${told}; the lock has: ${holder}`).join('\n          ')}`);
const [deleted, purged, written, older] = Object.values(results);
const isMade = ({ told, holder }) => told === 'made' && holder === 'nobody';
const isRefused = ({ told, holder }) => told === 'refused' && holder === 'bob';
const holds = isMade(deleted) && isMade(purged) && isRefused(written) && isRefused(older);
if (!holds) console.log('CHANGED: what was put since stays');
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
