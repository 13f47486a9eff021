#!/usr/bin/env bash
# rabbitmq-stream-js-client 1.0.0: of the batches that a publisher with a name sends by sendSubEntries() the broker keeps the first; all later ones are confirmed and dropped.
#
# What: a named publisher numbers what it sends, and the broker drops, and confirms, what has a number that it has seen: that is how streams do without doubles. send() counts on, but
# sendSubEntries() sends the number of the last send() again and again. Without a name nothing is dropped.
# Why it hurts: the batches are the fast, compressed way, the name is there to lose and double nothing, and both together lose all but the first batch, with a confirm for each. After a
# restart the first one is gone as well.
# Who should care: who sends batches of sub entries from Node. No publisherRef for these, or send() for each message, which is numbered and batched, too; compare counts, not confirms.
# Source: the package's publisher.js (sendSubEntries() does not add to publishingId). Needs Node 20 or later and npm.
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

free_port() {
  local port
  for port in $(shuf -i 20000-29999 -n 100); do
    (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

for tool in node npm chroot; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 2; }
done
# RabbitMQ finds Erlang by fixed paths: both live in a folder with the libraries of their release, as nobody.
root=$work/rabbit
mkdir -p "$root"/{usr/bin,usr/lib,usr/lib64,tmp,dev,data,etc}
for name in bin lib lib64; do ln -s "usr/$name" "$root/$name"; done
fetch rabbit sid rabbitmq-server=4.3.6-1 erlang-base erlang-asn1 erlang-crypto erlang-eldap erlang-inets erlang-mnesia erlang-os-mon erlang-public-key erlang-runtime-tools erlang-ssl \
  erlang-syntax-tools erlang-tools erlang-xmerl dash libc6 libcap2 libgcc-s1 libncurses6 libsctp1 libssl3t64 libstdc++6 libsystemd0 libtinfo6 libzstd1 zlib1g
echo 'nobody:x:65534:65534::/:/bin/sh' >"$root/etc/passwd"
echo '127.0.0.1 localhost' >"$root/etc/hosts"
chmod 755 "$work"
chmod 777 "$root/data" "$root/tmp"
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 444 "$root/dev/urandom" c 1 9
port=$(free_port)
epmd_port=$(free_port)
plugins=/usr/lib/rabbitmq/lib/rabbitmq_server-4.3.6/plugins
erts=$(cd "$root/usr/lib/erlang" && echo erts-*)
paths=()
for folder in "$root$plugins"/*/ebin; do paths+=("${folder#"$root"}"); done
erlang() {
  exec env -i HOME=/data LANG=C.UTF-8 PATH=/usr/bin:/usr/sbin "BINDIR=/usr/lib/erlang/$erts/bin" ROOTDIR=/usr/lib/erlang EMU=beam PROGNAME=erl "ERL_EPMD_PORT=$epmd_port" \
    ERL_EPMD_ADDRESS=127.0.0.1 RABBITMQ_CONFIG_FILE=/data/rabbitmq.conf RABBITMQ_NODENAME=surprise@localhost "RABBITMQ_NODE_PORT=$port" RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 "RABBITMQ_DIST_PORT=$(free_port)" \
    RABBITMQ_MNESIA_BASE=/data/base RABBITMQ_LOG_BASE=/data/log RABBITMQ_LOGS=- "RABBITMQ_PLUGINS_DIR=$plugins" RABBITMQ_ENABLED_PLUGINS_FILE=/data/enabled \
    "RABBITMQ_HOME=${plugins%/plugins}" SYS_PREFIX= "$(command -v chroot)" --userspec=65534:65534 "$root" "/usr/lib/erlang/$erts/bin/$1" "${@:2}"
}
stream=$(free_port)
echo '[rabbitmq_stream].' >"$root/data/enabled"
cat >"$root/data/rabbitmq.conf" <<CONF
stream.listeners.tcp.1 = 127.0.0.1:$stream
stream.advertised_host = 127.0.0.1
stream.advertised_port = $stream
CONF
erlang epmd -address 127.0.0.1 -port "$epmd_port" >"$work/log" 2>&1 &
pids+=("$!")
erlang erlexec -pa "${paths[@]}" -noinput -s rabbit boot -boot start_sasl +W w -kernel inet_dist_use_interface '{127,0,0,1}' -kernel prevent_overlapping_partitions false \
  -syslog logger '[]' -syslog syslog_error_logger false >>"$work/log" 2>&1 &
pids+=("$!")
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error rabbitmq-stream-js-client@1.0.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Offset, connect } from 'rabbitmq-stream-js-client';

const { version } = JSON.parse(readFileSync('node_modules/rabbitmq-stream-js-client/package.json', 'utf8'));
const server = { hostname: '127.0.0.1', port: Number(process.argv[2]), username: 'guest', password: 'guest', vhost: '/' };

async function open() {
  for (let tries = 0; ; tries += 1) {
    try {
      return await connect(server);
    } catch (error) {
      if (tries === 250) throw error;
      await sleep(200);
    }
  }
}
const BATCHES = 4;
const batch = (number) => ['a', 'b', 'c'].map((letter) => ({ content: Buffer.from(`${number}${letter}`) }));

/** How many of the batches are confirmed, and what is in the stream, where a publisher is started twice and sends two batches each time. */
async function publish(stream, options, send) {
  const admin = await open();
  await admin.createStream({ stream, arguments: {} });
  let confirmed = 0;
  for (let number = 1; number <= BATCHES; number += 2) {
    const client = await open();
    const publisher = await client.declarePublisher({ stream, ...options });
    publisher.on('publish_confirm', (error, ids) => {
      if (error === null) confirmed += ids.length;
    });
    await send(publisher, batch(number));
    await send(publisher, batch(number + 1));
    await publisher.flush();
    await sleep(1_000);
    await client.close();
  }
  const stored = [];
  await admin.declareConsumer({ stream, offset: Offset.first() }, ({ content }) => {
    stored.push(content.toString());
  });
  await sleep(1_500);
  await admin.close();
  return { confirmed, stored: stored.join(' ') };
}
const subEntries = (publisher, messages) => publisher.sendSubEntries(messages);
const singly = (publisher, messages) => Promise.all(messages.map(({ content }) => publisher.send(content)));
const named = { publisherRef: 'shop' };
const seen = {
  'send(), with a name': await publish('singly', named, singly),
  'sendSubEntries(), without a name': await publish('nameless', {}, subEntries),
  'sendSubEntries(), with a name': await publish('named', named, subEntries),
};
console.log(`rabbitmq-stream-js-client@${version}, node ${process.version}`);
console.log(`expected: ${BATCHES} batches of 3 messages, two before and two after a restart of the publisher, are in the stream when they were confirmed`);
for (const [way, { confirmed, stored }] of Object.entries(seen)) console.log(`seen:     ${way}: ${confirmed} confirms; stored: ${stored}`);
const all = '1a 1b 1c 2a 2b 2c 3a 3b 3c 4a 4b 4c';
const [single, nameless, last] = Object.values(seen);
const holds = single.stored === all && nameless.stored === all && last.confirmed === BATCHES && last.stored === '1a 1b 1c';
if (!holds) console.log('CHANGED: all confirmed batches are stored, or others are not, either');
process.exit(holds ? 0 : 7);
JS
code=0
timeout 90 node run.mjs "$stream" || code=$?
case $code in
  0) ;;
  7) exit 1 ;;
  *)
    tail -20 "$work/log" >&2
    exit 2
    ;;
esac
