#!/usr/bin/env bash
# undici 7.30.2: with interceptors.deduplicate() a GET that begins after a PUT was answered gets the value from before it.
#
# What: a GET that is asked while the same GET is on its way joins that one and gets its response. A PUT to the same URL in between,
# through the same dispatcher and answered by now, does not matter to it.
# Why it hurts: read-your-writes is gone inside one process, over a linearizable store, and only while some other reader's GET is slow. A
# checker that looks at the server finds nothing: the second GET never reached it. cache-control: no-store does not help, for nothing is
# cached.
# Who should care: who puts the interceptor in front of a store, of leader or lease look-ups, or of a read after a write. The same goes
# for any "single flight".
# Source: lib/interceptor/deduplicate.js and lib/handler/deduplication-handler.js: the key is of the request, and no other method ends it.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  undici@7.30.2 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, interceptors, request } from 'undici';

const { version } = JSON.parse(readFileSync('node_modules/undici/package.json', 'utf8'));
console.log(`undici@${version}, node ${process.version}`);

/** A register that is linearizable: a GET takes effect when it comes, and is answered half a second later. */
let value = '';
const server = createServer(async (incoming, response) => {
  response.setHeader('cache-control', 'no-store');
  if (incoming.method === 'PUT') {
    value = Buffer.concat(await incoming.toArray()).toString();
    response.end();
  } else {
    const read = value;
    await sleep(500);
    response.end(read);
  }
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${server.address().port}/register`;

async function readAfterWrite(dispatcher) {
  value = 'old';
  const ask = (method, body) => request(url, { dispatcher, method, body }).then((response) => response.body.text());
  const others = ask('GET');
  await sleep(150);
  await ask('PUT', 'new');
  const read = await ask('GET');
  await others;
  return read;
}
const plain = await readAfterWrite(new Agent());
const deduplicated = await readAfterWrite(new Agent().compose(interceptors.deduplicate()));
console.log('expected: PUT new, wait for its answer, GET: new');
console.log(`seen:     without the interceptor ${plain}, with it ${deduplicated}`);

const holds = plain === 'new' && deduplicated === 'old';
if (!holds) console.log('CHANGED: the GET after the PUT reads what was put');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 20 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 20 seconds' >&2; exit 3; }
exit "$code"
