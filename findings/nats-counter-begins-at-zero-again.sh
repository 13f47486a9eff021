#!/usr/bin/env bash
# nats-server 2.15.1: a counter of a stream that has a limit begins at 0 again once the others have counted enough: max_msgs deletes the total, and the next increment is acknowledged.
#
# What: with allow_msg_counter each increment is a message that carries the new total, and the total of a subject is in its last one. discard: old deletes the oldest message of the whole stream, be
# it the last one of its subject. The server refuses message TTLs on such a stream, and takes max_msgs.
# Why it hurts: it is the counters that nobody touches for a while, as yearly quotas, balances and stocks of what sells slowly, that lose their value, and the busy ones that make them lose it. The
# answer to the next increment is a total like any other: 1 in place of 6.
# Who should care: who counts in JetStream, with a limit as each stream should have one. max_msgs_per_subject: 1, and no limit of the whole stream.
# Source: ADR-49 of NATS. Needs Node 20 or later and npm.
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

/** Adds to a counter, and says its total. */
async function add(subject, amount) {
  const list = headers();
  list.set('Nats-Incr', `+${amount}`);
  const answer = (await nats.request(subject, '', { headers: list, timeout: 5_000 })).json();
  return answer.val ?? answer.error.description;
}

/** The total of a counter that was at 5, and is raised by 1 after another one was raised a thousand times. */
async function later(name, limits) {
  const refused = await streams.add({ name, subjects: [`${name}.>`], allow_msg_counter: true, ...limits }).then(
    () => undefined,
    ({ message }) => `refused: ${message}`,
  );
  if (refused) return refused;
  await add(`${name}.slow`, 5);
  for (let times = 0; times < 1_000; times += 1) await add(`${name}.busy`, 1);
  return `${await add(`${name}.slow`, 1)}, the busy one is at ${await add(`${name}.busy`, 0)}`;
}
const limited = await later('limited', { max_msgs: 1_000 });
const bySubject = await later('by-subject', { max_msgs_per_subject: 1 });
const ttl = await later('ttl', { allow_msg_ttl: true });
console.log(`nats-server ${nats.info.version}, node ${process.version}`);
console.log('expected: a counter that was at 5 and is raised by 1 is at 6, or the stream refuses a limit that would take its total away, as it refuses TTLs');
console.log(`seen:     max_msgs: 1000:          ${limited}`);
console.log(`          max_msgs_per_subject: 1: ${bySubject}`);
console.log(`          allow_msg_ttl:           ${ttl}`);
await nats.close();
const holds = limited === '1, the busy one is at 1000' && bySubject === '6, the busy one is at 1000' && ttl.startsWith('refused');
if (!holds) console.log('CHANGED: the total is kept, or the limit refused');
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
