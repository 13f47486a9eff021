#!/usr/bin/env bash
# RabbitMQ 4.3.6: a message that is put back by basic.reject, or by closing the channel, is dropped the 21st time; put back by basic.nack it is kept for ever.
#
# What: reject and nack with requeue are said to be the same for one message. In a quorum queue only the first one, and the loss of a channel, count towards the delivery limit,
# which is 20 where nobody set it. Beyond it the message is dropped: without a dead letter exchange there is no trace of it, and no error for anybody.
# Why it hurts: what is closed with the channel are all messages that were prefetched, be they looked at or not. A consumer that ends at a bad message, and is started again twenty
# times within a minute, drops whatever lay behind it, too. And changing nack for the shorter reject, or the library that chooses one of them, changes what is lost.
# Who should care: who has quorum queues, and puts back what cannot be done yet. Set a dead letter exchange, or a delivery-limit of one's own.
# Source: RabbitMQ's documentation of quorum queues (delivery limit 20 since 4.0; what counts changed in 4.3). Needs Node 20 or later and npm.
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
import { setTimeout as sleep } from 'node:timers/promises';
import amqp from 'amqplib';

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
const MESSAGES = 10;
const ROUNDS = 25;

/** Ends a round: what was given is put back. */
const ways = {
  nack: (channel, messages) => messages.forEach((message) => channel.nack(message, false, true)),
  reject: (channel, messages) => messages.forEach((message) => channel.reject(message, true)),
  close: () => {},
};

/** How many of the messages are there after they were given and put back some 25 times. */
async function left(way) {
  const queue = `by-${way}`;
  const admin = await connection.createConfirmChannel();
  await admin.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  for (let n = 0; n < MESSAGES; n += 1) admin.sendToQueue(queue, Buffer.from(`message ${n}`), { persistent: true });
  await admin.waitForConfirms();
  for (let round = 0; round < ROUNDS; round += 1) {
    const channel = await connection.createChannel();
    const given = [];
    await channel.prefetch(MESSAGES);
    await channel.consume(queue, (message) => given.push(message));
    for (let waits = 0; given.length < MESSAGES && waits < 40; waits += 1) await sleep(25);
    await channel.cancel(given[0]?.fields.consumerTag ?? '');
    ways[way](channel, given);
    await channel.close();
  }
  await sleep(500);
  return (await admin.checkQueue(queue)).messageCount;
}
const seen = {};
for (const way of Object.keys(ways)) seen[way] = await left(way);
const { product, version } = connection.connection.serverProperties;
console.log(`${product} ${version}, node ${process.version}`);
console.log(`expected: of ${MESSAGES} messages that were given and put back ${ROUNDS} times as many are left, however they were put back`);
console.log(`seen:     by nack: ${seen.nack}; by reject: ${seen.reject}; by closing the channel without a look at them: ${seen.close}`);
const holds = seen.nack === MESSAGES && seen.reject === 0 && seen.close === 0;
if (!holds) console.log('CHANGED: reject and nack, or the loss of a channel, count alike');
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
