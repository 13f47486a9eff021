#!/usr/bin/env bash
# graphql-ws 6.4.2: a mutation whose answer is lost with the socket is sent again over the next one, made twice, and answered once, without an error.
#
# What: the client resubscribes whatever is under way when a connection breaks, up to five times (`retryAttempts`), and does not look whether it is a subscription, a query or a mutation. `subscribe()` and `iterate()` end with the second answer.
# Why it hurts: a server that is redeployed closes its sockets while it is at work; the order is placed, the card is charged twice, and the page shows one success. Over HTTP the same mutation is an error.
# Who should care: who sends mutations over the socket, by itself or as the only link of a GraphQL client. Send mutations over HTTP, or through a second client with `retryAttempts: 0`, or with a key that the server knows again.
# Source: dist/client.js, subscribe(): the loop around connect(); its documentation tells of reconnecting, not of what is sent again.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error graphql-ws@6.4.2 graphql@16.15.0 ws@8.23.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildSchema } from 'graphql';
import { createClient } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocket, WebSocketServer } from 'ws';

const versionOf = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;
const schema = buildSchema('type Query { n: Int } type Mutation { charge(order: Int!): String }');

/** One mutation over a socket that breaks when it was made, before its answer: how often it was made, and what the caller was told. */
async function charge(options, ask) {
  let charges = 0;
  const sockets = [];
  const roots = {
    mutation: {
      charge: async ({ order }) => {
        charges += 1;
        const mine = charges;
        await sleep(50);
        if (mine === 1) for (const socket of sockets) socket.terminate();
        return `order ${order}, charge ${mine}`;
      },
    },
  };
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  server.on('connection', (socket) => sockets.push(socket));
  useServer({ schema, roots }, server);
  await once(server, 'listening');
  const client = createClient({ url: `ws://127.0.0.1:${server.address().port}`, webSocketImpl: WebSocket, retryWait: () => sleep(100), ...options });
  const told = await ask(client);
  await client.dispose();
  server.close();
  return { charges, told };
}
const query = 'mutation { charge(order: 7) }';
const tellError = (error) => `an error (${error.code ?? error.message})`;
const subscribe = (client) =>
  new Promise((resolve) => {
    const answers = [];
    client.subscribe({ query }, { next: ({ data }) => answers.push(data.charge), error: (error) => resolve(tellError(error)), complete: () => resolve(answers.join('; ')) });
  });
const iterate = async (client) => {
  try {
    const answers = [];
    for await (const { data } of client.iterate({ query })) answers.push(data.charge);
    return answers.join('; ');
  } catch (error) {
    return tellError(error);
  }
};
const results = { subscribe: await charge({}, subscribe), iterate: await charge({}, iterate), 'retryAttempts: 0': await charge({ retryAttempts: 0 }, subscribe) };
console.log(`graphql-ws@${versionOf('graphql-ws')}, ws@${versionOf('ws')}, node ${process.version}`);
console.log('expected: a mutation whose answer is lost with the socket is made once, and ends with an error');
const tell = ([name, { charges, told }]) => `${name}: made ${charges === 1 ? 'once' : `${charges} times`}; the caller was told: ${told}`;
console.log(`seen:     ${Object.entries(results).map(tell).join('\n          ')}`);
const isTwice = ({ charges, told }) => charges === 2 && told === 'order 7, charge 2';
const holds = isTwice(results.subscribe) && isTwice(results.iterate) && results['retryAttempts: 0'].charges === 1 && results['retryAttempts: 0'].told.startsWith('an error');
if (!holds) console.log('CHANGED: a mutation is made once');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 40 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 40 seconds' >&2; exit 3; }
exit "$code"
