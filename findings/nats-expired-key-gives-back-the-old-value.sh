#!/usr/bin/env bash
# nats-server 2.15.1: when a key of a bucket with history expires, its older value stands again, at its older revision, and no watcher is told.
#
# What: a TTL of a key (2.11) takes away one message. With history above 1 the one before it is then the last: get answers it, and update takes its revision. The marker
# that tells watchers of an expiry is written only where the key has no message left; a key that was deleted once in the history never gets it again.
# Why it hurts: a candidate that waits for the leader's key to expire waits for ever; an override that is over gives back a value from long ago; and a
# compare-and-set from before both goes through, since revisions of a key run backwards.
# Who should care: who has leases, leaders or presence in a bucket with history; history 1 (the default) behaves as guessed.
# Source: nats-io/nats-architecture-and-design ADR-43 (a marker where the removal empties the subject) and ADR-48. Needs Node 20 or later and npm.
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
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream } from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect, headers } from '@nats-io/transport-node';

const nats = await connect({ servers: `127.0.0.1:${process.argv[2]}`, waitOnFirstConnect: true, maxReconnectAttempts: 100, reconnectTimeWait: 200 });
const stream = jetstream(nats);

/** Waits until a condition holds; the TTL of two seconds has to pass. */
async function until(condition) {
  for (let tries = 0; !(await condition()); tries += 1) {
    if (tries === 300) throw new Error('gave up waiting');
    await sleep(200);
  }
}

/** What is left of two keys after the TTL of their last values, and what a watcher was told. */
async function expire(history) {
  const bucket = `history-${history}`;
  // Once the server is there its streams may take a moment.
  let kv;
  await until(async () => (kv = await new Kvm(nats).create(bucket, { history, markerTTL: 1_000 }).catch(() => undefined)));
  await kv.create('leader', 'a');
  await kv.delete('leader');
  const old = await kv.put('limit', 'usual');
  const told = [];
  const watch = await kv.watch();
  const watching = (async () => {
    for await (const { key, operation } of watch) {
      told.push(`${key} ${operation}`);
      if (key === 'end') break;
    }
  })();

  const leased = await kv.create('leader', 'b', '2s');
  const header = headers();
  header.set('Nats-TTL', '2s');
  const { seq: raised } = await stream.publish(`$KV.${bucket}.limit`, 'raised', { headers: header });
  await until(async () => (await kv.get('leader'))?.revision !== leased);
  await until(async () => (await kv.get('limit'))?.revision !== raised);
  const limit = await kv.get('limit');
  // Events come in order: after this one, none of the expiry can come.
  await kv.put('end', '');
  await watching;
  const swapped = await kv.update('limit', 'mine', old).then(() => 'made', () => 'refused');
  return { told: told.includes('leader PURGE'), limit: limit?.operation === 'PUT' ? limit.string() : 'absent', swapped };
}

const results = { 1: await expire(1), 5: await expire(5) };
await nats.close();
const tell = ({ told, limit, swapped }) => `watcher told of the leader's end: ${told}; limit: ${limit}; update of the revision before: ${swapped}`;
console.log('expected: an expired key is absent, its watchers are told, and an update of a revision that was overwritten is refused');
console.log(`seen:     history 1: ${tell(results[1])}`);
console.log(`          history 5: ${tell(results[5])}`);
const isGuessed = results[1].told && results[1].limit === 'absent' && results[1].swapped === 'refused';
const isSurprise = !results[5].told && results[5].limit === 'usual' && results[5].swapped === 'made';
if (!(isGuessed && isSurprise)) console.log('CHANGED: with and without history the same');
process.exit(isGuessed && isSurprise ? 0 : 7);
JS
code=0
timeout 200 node run.mjs "$port" || code=$?
case $code in
  0) ;;
  7) exit 1 ;;
  *)
    cat "$work/log" >&2
    exit 2
    ;;
esac
