#!/usr/bin/env bash
# nats-server 2.15.1: a message whose id was seen in the last two minutes is acknowledged, and not stored, though the stream holds it no more.
#
# What: publishing with Nats-Msg-Id looks only at a list of ids. An id stays there for the window when its message has expired by its TTL,
# was deleted, was purged, or was never kept because nobody was interested; and it is one list for all subjects of the stream. The answer
# is an acknowledgement with the sequence of what is gone, and duplicate: true.
# Why it hurts: publish() resolves, and nothing is there: a lease by TTL that is taken again under its own id is held by nobody, a queue that
# was purged and filled again stays empty, an order that was published too early is lost although it is sent again. A window of two
# minutes is the default.
# Who should care: who makes ids of the content, of a job or of an owner. Look at duplicate, and at what stands at that sequence; an id for
# each attempt that is meant, not for each thing.
# Source: the documentation of JetStream on deduplication (a window of time); server/stream.go (checkMsgId). Needs Node 20 or later and npm.
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
  @nats-io/jetstream@3.4.0 @nats-io/transport-node@3.4.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }
port=$(free_port)
"${cmd[@]}" -a 127.0.0.1 -p "$port" -js -sd "$work/data" >"$work/log" 2>&1 &
pids+=("$!")

cat >run.mjs <<'JS'
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

const nats = await connect({ servers: `127.0.0.1:${process.argv[2]}`, waitOnFirstConnect: true, maxReconnectAttempts: 100, reconnectTimeWait: 200 });
const stream = jetstream(nats);
const manager = await jetstreamManager(nats);
console.log(`nats-server ${nats.info.version}, node ${process.version}`);

const held = async (name) => (await manager.streams.info(name)).state.messages;
const publish = (subject, text, options) =>
  stream.publish(subject, text, options).then(({ seq, duplicate }) => ({ seq, duplicate }), (error) => ({ error: error.message }));

/** Publishes, lets the message go, publishes it again under its id. */
async function again(name, config, options, letGo) {
  await manager.streams.add({ name, subjects: [`${name}.>`], ...config });
  const first = await publish(`${name}.one`, 'text', { msgID: 'id', ...options });
  await letGo(first.seq);
  const between = await held(name);
  const second = await publish(`${name}.one`, 'text', { msgID: 'id', ...options });
  return { name, between, second, held: await held(name) };
}
const results = [
  await again('expired', { allow_msg_ttl: true }, { ttl: '1s' }, async () => {
    for (let tries = 0; (await held('expired')) > 0 && tries < 100; tries += 1) await sleep(100);
  }),
  await again('deleted', {}, {}, (seq) => manager.streams.deleteMessage('deleted', seq)),
  await again('purged', {}, {}, () => manager.streams.purge('purged')),
  await again('unheard', { retention: 'interest' }, {}, () => manager.consumers.add('unheard', { durable_name: 'late', ack_policy: 'explicit' })),
];
await manager.streams.add({ name: 'subjects', subjects: ['subjects.>'] });
await publish('subjects.one', 'pay ann', { msgID: 'id' });
const other = await publish('subjects.two', 'pay bob', { msgID: 'id' });
const elsewhere = { other, held: await held('subjects') };

console.log('expected: what the stream does not hold is stored when it is published again, or refused');
for (const { name, second, held: count } of results) console.log(`seen:     ${name}: ${JSON.stringify(second)}; messages held: ${count}`);
console.log('expected: another text on another subject is stored, or refused');
console.log(`seen:     ${JSON.stringify(elsewhere.other)}; messages held: ${elsewhere.held}`);
await nats.close();

const holds =
  results.every(({ between, second, held: count }) => between === 0 && second.duplicate === true && second.seq > 0 && count === 0) &&
  elsewhere.other.duplicate === true &&
  elsewhere.held === 1;
if (!holds) console.log('CHANGED: what is acknowledged is held');
process.exit(holds ? 0 : 7);
JS
code=0
timeout 45 node run.mjs "$port" || code=$?
case $code in
  0) ;;
  7) exit 1 ;;
  *)
    cat "$work/log" >&2
    exit 2
    ;;
esac
