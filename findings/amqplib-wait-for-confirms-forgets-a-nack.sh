#!/usr/bin/env bash
# amqplib 2.3.1: waitForConfirms() resolves though the broker refused messages, where the refusal came before the call.
#
# What: it waits for what is unconfirmed at that moment, and rejects for those only. A nack that has arrived by then belonged to a message without a callback of its own, and is
# remembered nowhere. The clients of other languages say false, or throw, if anything was refused since the last call.
# Why it hurts: publish a batch, wait for the confirms, mark the batch as sent: that is how the documentation uses it. Any await in the loop (a row from a database, a full socket) is time
# for nacks to arrive. A queue at its length limit with reject-publish, or one without a majority, refuses most of the batch, and it is marked as sent.
# Who should care: who empties an outbox into RabbitMQ by amqplib. Give each publish() a callback of its own, and count the errors.
# Source: the package's lib/channel.js (handleConfirm, _waitForConfirms). The broker is RabbitMQ 4.3.6. Needs Node 20 or later and npm.
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
    ERL_EPMD_ADDRESS=127.0.0.1 RABBITMQ_NODENAME=surprise@localhost "RABBITMQ_NODE_PORT=$port" RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 "RABBITMQ_DIST_PORT=$(free_port)" \
    RABBITMQ_MNESIA_BASE=/data/base RABBITMQ_LOG_BASE=/data/log RABBITMQ_LOGS=- "RABBITMQ_PLUGINS_DIR=$plugins" RABBITMQ_ENABLED_PLUGINS_FILE=/data/enabled \
    "RABBITMQ_HOME=${plugins%/plugins}" SYS_PREFIX= "$(command -v chroot)" --userspec=65534:65534 "$root" "/usr/lib/erlang/$erts/bin/$1" "${@:2}"
}
erlang epmd -address 127.0.0.1 -port "$epmd_port" >"$work/log" 2>&1 &
pids+=("$!")
erlang erlexec -pa "${paths[@]}" -noinput -s rabbit boot -boot start_sasl +W w -kernel inet_dist_use_interface '{127,0,0,1}' -kernel prevent_overlapping_partitions false \
  -syslog logger '[]' -syslog syslog_error_logger false >>"$work/log" 2>&1 &
pids+=("$!")
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error amqplib@2.3.1 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import amqp from 'amqplib';

const { version } = JSON.parse(readFileSync('node_modules/amqplib/package.json', 'utf8'));

async function connect() {
  for (let tries = 0; ; tries += 1) {
    try {
      return await amqp.connect(`amqp://127.0.0.1:${process.argv[2]}`);
    } catch (error) {
      if (tries === 250) throw error;
      await sleep(200);
    }
  }
}
const connection = await connect();

/** What waitForConfirms() says of 20 messages to a queue that has room for 5, with a pause between two of them, and how many callbacks were told of an error. */
async function publish(queue, pauseMs) {
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue(queue, { durable: true, arguments: { 'x-max-length': 5, 'x-overflow': 'reject-publish' } });
  for (let n = 0; n < 20; n += 1) {
    channel.sendToQueue(queue, Buffer.from(`message ${n}`), { persistent: true });
    if (pauseMs > 0) await sleep(pauseMs);
  }
  const told = await channel.waitForConfirms().then(
    () => 'resolved',
    (error) => `rejected (${error.message})`,
  );
  await sleep(200);
  const { messageCount } = await channel.checkQueue(queue);
  return `${told}, ${messageCount} stored`;
}
const atOnce = await publish('at-once', 0);
const paused = await publish('with-pauses', 50);
const { product, version: server } = connection.connection.serverProperties;
console.log(`amqplib@${version}, ${product} ${server}, node ${process.version}`);
console.log('expected: waitForConfirms() is rejected where 15 of 20 messages were refused');
console.log(`seen:     published at once: ${atOnce}; with pauses of 50 ms: ${paused}`);
const holds = atOnce === 'rejected (message nacked), 5 stored' && paused === 'resolved, 5 stored';
if (!holds) console.log('CHANGED: waitForConfirms() is rejected for what was refused before the call');
process.exit(holds ? 0 : 7);
JS
code=0
timeout 90 node run.mjs "$port" || code=$?
case $code in
  0) ;;
  7) exit 1 ;;
  *)
    tail -20 "$work/log" >&2
    exit 2
    ;;
esac
