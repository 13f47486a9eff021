#!/usr/bin/env bash
# @nats-io/obj 3.4.0: where the answer to a put() comes too late, and where update() of a description meets a put(), an object is left that is listed, with its size and digest, and has no bytes; those that were there before cannot be reached any more.
#
# What: put() stores the bytes, then the entry that names them. If the answer to the entry is late, put() is rejected and clears away the bytes, though the entry is there. update() reads the entry and writes it back, without a look at its revision: over a
# put() that came between it names the bytes that this put() has cleared away.
# Why it hurts: a stalled disk or a failover of some seconds, as one tries again after: the new object cannot be read, the old one is not there any more, and info(), list() and watch() show a whole one. Both writers of the second case are told of success.
# Who should care: who keeps the only copy of something in an object store of NATS. Give put() a long `timeout`, and put again after a rejection; and do not update() what others put.
# Source: lib/objectstore.js, _put(): the purge in its catch; update(). Needs Node 20 or later and npm.
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
  @nats-io/obj@3.4.0 @nats-io/jetstream@3.4.0 @nats-io/transport-node@3.4.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }
port=$(free_port)
"${cmd[@]}" -a 127.0.0.1 -p "$port" -js -sd "$work/data" >"$work/log" 2>&1 &
pids+=("$!")

cat >run.mjs <<'JS'
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as dial, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Objm } from '@nats-io/obj';
import { connect } from '@nats-io/transport-node';

const { version } = JSON.parse(readFileSync('node_modules/@nats-io/obj/package.json', 'utf8'));
const port = Number(process.argv[2]);
const TIMEOUT_MS = 1_000;
const open = (at) => connect({ servers: `127.0.0.1:${at}`, waitOnFirstConnect: true, maxReconnectAttempts: 100, reconnectTimeWait: 200 });
const bytes = (text) => new TextEncoder().encode(text);

/** The store; once the server is there its streams may take a moment. */
async function store(nats, bucket) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await new Objm(nats).create(bucket);
    } catch (error) {
      if (tries === 100) throw error;
      await sleep(200);
    }
  }
}
/** What an object says of itself, and what can be read of it within two seconds. */
async function look(objects, name) {
  const info = await objects.info(name);
  const read = objects.getBlob(name).then((blob) => `"${new TextDecoder().decode(blob)}"`, (error) => `an error (${error.message})`);
  const content = await Promise.race([read, sleep(2_000, 'nothing within two seconds')]);
  return { size: info?.size, description: info?.description, content };
}

/** A server on the way that holds back all answers for a while, once, when an entry of an object was sent. */
async function slowServer() {
  const state = { isArmed: false };
  const proxy = createServer((client) => {
    const server = dial(port, '127.0.0.1');
    client.on('data', (data) => {
      if (state.isArmed && data.includes('PUB $O.late.M.')) {
        state.isArmed = false;
        server.pause();
        setTimeout(() => server.resume(), TIMEOUT_MS * 2);
      }
      server.write(data);
    });
    server.pipe(client);
    for (const socket of [client, server]) socket.on('error', () => {}).on('close', () => { client.destroy(); server.destroy(); });
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return { state, port: proxy.address().port, close: () => proxy.close() };
}
const told = (promise) => promise.then(() => 'done', (error) => `rejected (${error.message})`);
const direct = await open(port);

const late = await store(direct, 'late');
await late.putBlob({ name: 'plan' }, bytes('the old plan'));
const proxy = await slowServer();
const slow = await open(proxy.port);
const lateBehind = await store(slow, 'late');
proxy.state.isArmed = true;
const lateTold = await told(lateBehind.putBlob({ name: 'plan' }, bytes('the new plan, a longer one'), { timeout: TIMEOUT_MS }));
await sleep(TIMEOUT_MS * 3);
const afterLate = await look(late, 'plan');
await slow.close();
proxy.close();

const both = await store(direct, 'both');
let meeting;
let tries = 0;
do {
  tries += 1;
  await both.putBlob({ name: 'plan' }, bytes('the old plan'));
  const writes = [told(both.putBlob({ name: 'plan' }, bytes(`the new plan ${tries}`)))];
  await sleep(tries % 5);
  writes.push(told(both.update('plan', { name: 'plan', description: 'for Monday' })));
  const [put, update] = await Promise.all(writes);
  meeting = { put, update, ...(await look(both, 'plan')) };
} while (meeting.content.startsWith('"') && tries < 60);
const alone = await store(direct, 'alone');
await alone.putBlob({ name: 'plan' }, bytes('the old plan'));
await alone.update('plan', { name: 'plan', description: 'for Monday' });
const afterOther = await look(alone, 'plan');
await direct.close();

const tell = ({ size, description, content }) => `size ${size}${description ? `, description "${description}"` : ''}; its bytes: ${content}`;
console.log(`@nats-io/obj@${version}, node ${process.version}`);
console.log('expected: an object that is listed has its bytes: the old ones or the new ones');
console.log(`seen:     put() of new bytes whose answer comes a second too late: ${lateTold}; the object has ${tell(afterLate)}`);
console.log(`          put() and update() at the same moment: ${meeting.put}, ${meeting.update}; the object has ${tell(meeting)}`);
console.log(`          one after the other: ${tell(afterOther)}`);
const isLost = afterLate.size === 26 && !afterLate.content.startsWith('"') && lateTold.startsWith('rejected');
const holds = isLost && !meeting.content.startsWith('"') && meeting.put === 'done' && meeting.update === 'done' && afterOther.content === '"the old plan"';
if (!holds) console.log('CHANGED: what is listed can be read');
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
