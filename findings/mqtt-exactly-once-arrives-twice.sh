#!/usr/bin/env bash
# mqtt 5.16.0 (MQTT.js): with its defaults a message of QoS 2 arrives twice where the connection is lost before the broker's first answer.
#
# What: QoS 2 is exactly once within a session: the broker knows the packet's number and drops the repetition. MQTT.js connects with clean: true, each time with a new
# session, and keeps the unanswered message all the same. It sends it again after the reconnection, to a broker that has forgotten the number.
# Why it hurts: QoS 2 is taken where a command must not be done twice (dose, pay, count), and both copies arrive as first ones, with dup unset. publish() resolves once.
# Who should care: who publishes with QoS 2. With clean: false and a clientId of its own it arrives once.
# Source: the client's _onConnect, which resends its outgoing store whatever the session; MQTT 3.1.1, 3.1.2.4 (state of a clean session must not be used in another one).
# The broker is Aedes 1.2.0, the connection is cut by a proxy of a few lines when PUBREC comes.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error mqtt@5.16.0 aedes@1.2.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { Aedes } from 'aedes';
import mqtt from 'mqtt';

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
console.log(`mqtt@${version('mqtt')}, aedes@${version('aedes')}, node ${process.version}`);

async function listen(onConnection) {
  const server = createServer(onConnection).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}
const broker = await Aedes.createBroker();
const brokerPort = await listen(broker.handle);

const PUBREC = 5;
let cutsLeft = 0;
const proxyPort = await listen((client) => {
  const upstream = connect(brokerPort, '127.0.0.1');
  for (const socket of [client, upstream]) {
    socket.on('error', () => {});
    socket.on('close', () => (client.destroy(), upstream.destroy()));
  }
  client.pipe(upstream);
  upstream.on('data', (bytes) => {
    if (cutsLeft > 0 && bytes[0] >> 4 === PUBREC) {
      cutsLeft -= 1;
      client.destroy();
    } else client.write(bytes);
  });
});

/** What a subscriber gets of one message of QoS 2 whose PUBREC is lost. */
async function publish(options) {
  const arrived = [];
  const subscriber = await mqtt.connectAsync({ host: '127.0.0.1', port: brokerPort });
  await subscriber.subscribeAsync('account/withdraw', { qos: 2 });
  const end = new Promise((resolve) => {
    subscriber.on('message', (_, message, { dup }) => {
      if (message.toString() === 'end') resolve();
      else arrived.push(`${message}${dup ? ' (dup)' : ''}`);
    });
  });
  const publisher = await mqtt.connectAsync({ host: '127.0.0.1', port: proxyPort, reconnectPeriod: 100, ...options });
  cutsLeft = 1;
  await publisher.publishAsync('account/withdraw', '30', { qos: 2 });
  await publisher.publishAsync('account/withdraw', 'end', { qos: 2 });
  await end;
  for (const client of [publisher, subscriber]) await client.endAsync(true);
  return arrived.join(', ');
}

const usual = await publish({});
const kept = await publish({ clean: false, clientId: 'teller' });
console.log('expected: 30, once');
console.log(`seen:     by default: ${usual}; with clean: false: ${kept}`);
const holds = usual === '30, 30' && kept === '30';
if (!holds) console.log('CHANGED: a message of QoS 2 arrives once');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
