#!/usr/bin/env bash
# Elasticsearch's, OpenSearch's, GitHub's, Typesense's and Upstash's own clients send a POST again when its answer is lost: two documents, two issues, two increments, one "done".
#
# What: all of them retry by default, and none asks whether the request may be made twice: no method is left out, no key of idempotency is sent. got and its like leave POST out.
# A server that has done the work and goes away before it answers (a restart, a balancer's idle limit, a gateway's 502) gets the same request once more.
# Why it hurts: the call resolves as if nothing had happened, so nobody looks. index() without an id stores the document twice, update() with a script counts twice, incr() too,
# issues.create() opens a second issue. "My code has no retry" is true, and does not help.
# Who should care: who counts, charges or creates through them. Give ids of one's own (create with an id is refused the second time), or turn the retries off where one writes.
# Source: @elastic/transport's Transport (ConnectionError, maxRetries 3), opensearch's Transport, @octokit/plugin-retry (any status but seven), typesense's ApiCall, @upstash/redis'
# HttpClient (retry: 5).
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error --legacy-peer-deps @elastic/elasticsearch@9.4.3 @opensearch-project/opensearch@3.9.0 octokit@5.0.5 typesense@3.1.0 \
  @babel/runtime@7.28.4 @upstash/redis@1.39.0 got@15.0.5 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { Client as Elasticsearch } from '@elastic/elasticsearch';
import { Client as OpenSearch } from '@opensearch-project/opensearch';
import { Redis } from '@upstash/redis';
import got from 'got';
import { Octokit } from 'octokit';
import Typesense from 'typesense';

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8')).version;

/** A service that carries out each POST; the first one's answer is lost on its way. */
let made = 0;
let answer = {};
const server = http.createServer((request, response) => {
  request.resume().on('end', () => {
    made += 1;
    if (made === 1) return request.socket.destroy();
    response.writeHead(201, { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' }).end(JSON.stringify(answer));
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address();
const url = `http://127.0.0.1:${port}`;
const nodes = [{ host: '127.0.0.1', port, protocol: 'http' }];

const calls = [
  ['@elastic/elasticsearch', 'index() without an id', { _id: '1' }, () => new Elasticsearch({ node: url }).index({ index: 'orders', document: { n: 1 } })],
  ['@elastic/elasticsearch', 'update() by a script', { _id: '1' }, () => new Elasticsearch({ node: url }).update({ index: 'stock', id: '1', script: 'ctx._source.n += 1' })],
  ['@opensearch-project/opensearch', 'index() without an id', { _id: '1' }, () => new OpenSearch({ node: url }).index({ index: 'orders', body: { n: 1 } })],
  ['octokit', 'issues.create()', { number: 1 }, () => new Octokit({ baseUrl: url }).rest.issues.create({ owner: 'me', repo: 'shop', title: 'broken' })],
  [
    'typesense',
    'documents().create()',
    { id: '1' },
    () => new Typesense.Client({ nodes, apiKey: 'none', logLevel: 'silent' }).collections('orders').documents().create({ n: 1 }),
  ],
  ['@upstash/redis', 'incr()', [{ result: 2 }], () => new Redis({ url, token: 'none' }).incr('n')],
  ['got', 'post()', {}, () => got.post(url, { json: { n: 1 } })],
];
console.log(`node ${process.version}`);
console.log('expected: a POST whose answer is lost is made once, and rejected');
const seen = [];
for (const [name, what, body, call] of calls) {
  made = 0;
  answer = body;
  const told = await call().then(
    () => 'resolved',
    () => 'rejected',
  );
  seen.push(`${told}, made ${made} times`);
  console.log(`seen:     ${`${name}@${version(name)}`.padEnd(38)} ${what.padEnd(22)} ${seen.at(-1)}`);
}
const holds = seen.pop() === 'rejected, made 1 times' && seen.every((answered) => answered === 'resolved, made 2 times');
if (!holds) console.log('CHANGED: one of them leaves a POST whose answer is lost to the caller');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 60 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 60 seconds' >&2; exit 3; }
exit "$code"
