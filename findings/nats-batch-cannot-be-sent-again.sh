#!/usr/bin/env bash
# nats-server 2.15.1: an atomic batch whose answer is lost cannot be sent again: under its own id it is stored twice, and with message ids it is refused with an error, though it is there.
#
# What: Nats-Batch-Id tells which messages belong together while a batch is under way, and is forgotten with it. With a Nats-Msg-Id in each message the second attempt is answered with error 10201,
# where a single message is answered with "duplicate": true. The error is the same for a batch of which one message only was there before, and nothing else was stored.
# Why it hurts: orders doubled, or a write that is taken for failed, undone or put into a dead letter queue though it was made. Retry loops that are right for single messages, by the same header
# on the same stream, are wrong for batches.
# Who should care: who publishes batches (allow_atomic, since 2.12). Put a message id into each, and take 10201 for "look it up": Nats-Msg-Id is in the stream; or expect a sequence.
# Source: ADR-50 of NATS, the server's jetstream_batching.go. Needs Node 20 or later and npm.
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
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, headers } from '@nats-io/transport-node';

const nats = await connect({ servers: `127.0.0.1:${process.argv[2]}`, waitOnFirstConnect: true, maxReconnectAttempts: 100, reconnectTimeWait: 200 });
const { streams } = await jetstreamManager(nats);
await streams.add({ name: 'orders', subjects: ['orders.>'], allow_atomic: true });

async function send(subject, fields) {
  const list = headers();
  for (const [name, value] of Object.entries(fields)) list.set(name, value);
  const { data } = await nats.request(subject, 'one', { headers: list, timeout: 5_000 });
  return data.length === 0 ? {} : JSON.parse(new TextDecoder().decode(data));
}
/** Sends an order and its payment as one batch; ids are those of the messages. */
async function batch(id, subject, ids) {
  const fields = (number) => ({ 'Nats-Batch-Id': id, 'Nats-Batch-Sequence': `${number}`, ...(ids ? { 'Nats-Msg-Id': `${ids}-${number}` } : {}) });
  await send(`${subject}.order`, fields(1));
  return send(`${subject}.payment`, { ...fields(2), 'Nats-Batch-Commit': '1' });
}
const told = ({ error, duplicate, count }) => {
  if (error) return `error ${error.err_code}`;
  return duplicate ? 'stored before' : `stored${count ? ` ${count}` : ''}`;
};

/** What is told to somebody who sends the same twice, since the first answer was lost, and how many messages there are then. */
async function twice(subject, attempt) {
  const answers = [told(await attempt(`orders.${subject}`)), told(await attempt(`orders.${subject}`))];
  const { state } = await streams.info('orders', { subjects_filter: `orders.${subject}.>` });
  const messages = Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
  return `told: ${answers.join(', then ')}; ${messages} in the stream`;
}
const single = await twice('single', (subject) => send(`${subject}.order`, { 'Nats-Msg-Id': 'single-1' }));
const byId = await twice('by-id', (subject) => batch('batch-1', subject));
let attempts = 0;
const byIds = await twice('by-ids', (subject) => batch(`attempt-${(attempts += 1)}`, subject, 'order-7'));
console.log(`nats-server ${nats.info.version}, node ${process.version}`);
console.log('expected: a batch of two that is sent again is stored once, and the second answer says so, as it does for a single message');
console.log(`seen:     single message, same Nats-Msg-Id:  ${single}`);
console.log(`          batch, same Nats-Batch-Id:         ${byId}`);
console.log(`          batch, same Nats-Msg-Id in each:   ${byIds}`);
await nats.close();
const holds = single === 'told: stored, then stored before; 1 in the stream' && byId === 'told: stored 2, then stored 2; 4 in the stream' && byIds === 'told: stored 2, then error 10201; 2 in the stream';
if (!holds) console.log('CHANGED: a batch can be sent again, or a single message cannot');
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
