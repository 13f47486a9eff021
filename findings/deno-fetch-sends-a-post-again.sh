#!/usr/bin/env bash
# Deno 2.9.6: fetch() over a kept connection sends a POST again, with its body, when the server has carried it out and the connection ended before the answer: made twice, and one 200.
#
# What: where the body can be sent again (a text, bytes, JSON, none) a request whose connection came from the pool and was closed or reset is sent once more, whatever its method; `connection: close` does not help, since that request, too,
# takes a connection of the pool. RFC 9110, 9.2.2: a client should not do so with a POST unless it knows that it was not carried out.
# Why it hurts: a server that ends in the middle of its work, a proxy that gives up, an instance that is replaced: the charge is made twice, and the caller is told of one success. Under Node the same program is rejected.
# Who should care: who posts from Deno, by itself or through a client that uses fetch. Send a key that the server knows again; or use a client of its own for each, `Deno.createHttpClient({ poolMaxIdlePerHost: 0 })`.
# Source: ext/fetch/lib.rs, is_error_retryable(): "the server never received/processed the request"; issue 35610, closed in August 2026, ended it for new connections only. Bun 1.4.5 does it for PUT and DELETE, as the RFC allows.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error @deno/linux-x64-glibc@2.9.6 @oven/bun-linux-x64-baseline@1.4.5 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }


cat >client.mjs <<'JS'
// The same program for each runtime: what it is told of requests whose answers are lost.
const base = process.argv[2];
const told = {};
/** One request over a connection that was used before, or over one that is new. */
async function ask(name, options, isKept) {
  if (isKept) await (await fetch(`${base}/hello`)).text();
  try {
    const answer = await fetch(`${base}/${name}`, options);
    told[name] = `${answer.status}, ${await answer.text()}`;
  } catch {
    told[name] = 'rejected';
  }
}
await ask('first', { method: 'POST', body: 'x' }, false);
await ask('post', { method: 'POST', body: 'charge 7' }, true);
await ask('json', { method: 'POST', body: JSON.stringify({ charge: 7 }), headers: { 'content-type': 'application/json', connection: 'close' } }, true);
await ask('put', { method: 'PUT', body: 'x' }, true);
if (globalThis.Deno) await ask('no-pool', { method: 'POST', body: 'x', client: Deno.createHttpClient({ poolMaxIdlePerHost: 0 }) }, true);
console.log(JSON.stringify(told));
process.exit(0);
JS
cat >run.mjs <<'JS'
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

const DENO = 'node_modules/@deno/linux-x64-glibc/deno';
const BUN = 'node_modules/@oven/bun-linux-x64-baseline/bin/bun';
const versionOf = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;

/** Runs the client against a server that carries each request out and ends the connection of the first of each; what was made, and what the client was told. */
async function run(command, ...args) {
  const made = {};
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const name = request.url.slice(1);
    if (name === 'hello') {
      response.end('hello');
      return;
    }
    made[name] = (made[name] ?? 0) + 1;
    if (made[name] === 1) request.socket.destroy();
    else response.end(`made for the ${made[name]}nd time: ${body}`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = spawn(command, [...args, 'client.mjs', `http://127.0.0.1:${server.address().port}`], { stdio: ['ignore', 'pipe', 'ignore'], timeout: 30_000, env: { ...process.env, DENO_DIR: './deno', DENO_NO_UPDATE_CHECK: '1' } });
  const told = JSON.parse(await text(client.stdout));
  server.closeAllConnections();
  server.close();
  return { made, told };
}
const results = { deno: await run(DENO, 'run', '--allow-net'), bun: await run(BUN), node: await run(process.execPath) };
console.log(`deno ${versionOf('@deno/linux-x64-glibc')}, bun ${versionOf('@oven/bun-linux-x64-baseline')}, node ${process.version}`);
console.log('expected: a POST that was carried out, and whose answer is lost, is rejected, and made once');
const tell = ([runtime, { made, told }]) => Object.keys(made).map((name) => `${runtime}, ${name}: made ${made[name]}, told: ${told[name]}`);
console.log(`seen:     ${Object.entries(results).flatMap(tell).join('\n          ')}`);
const { deno, bun, node } = results;
const isOnce = ({ made, told }, name) => made[name] === 1 && told[name] === 'rejected';
const isTwice = ({ made, told }, name) => made[name] === 2 && told[name].startsWith('200');
const isDeno = isTwice(deno, 'post') && isTwice(deno, 'json') && isOnce(deno, 'first') && isOnce(deno, 'no-pool');
const holds = isDeno && ['first', 'post', 'json'].every((name) => isOnce(bun, name) && isOnce(node, name));
if (!holds) console.log('CHANGED: a POST is made once');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 45 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 45 seconds' >&2; exit 3; }
exit "$code"
