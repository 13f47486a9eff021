#!/usr/bin/env bash
# @azure/storage-blob 12.34.0: downloadToBuffer() of a blob that is replaced meanwhile resolves with a mixture of two versions.
#
# What: above 4 MiB the blob is read in blocks, each a GET of its own with a range. The ETag of the first answer is not put into the
# others as If-Match, so each block is of the version that is there when it is asked. A put of the whole blob is atomic; this read is not.
# download() of the same client does hold its retries to the first ETag.
# Why it hurts: a snapshot, a state file, a manifest that is replaced in one conditional PUT is read as the head of one and the tail of
# another, of the right length, without an error.
# Who should care: who keeps state in blobs above 4 MiB. Read the ETag first and give conditions: { ifMatch: etag }.
# Source: src/Clients.ts (downloadToBuffer: conditions are those of the caller). The server here is a stand-in of thirty lines;
# Microsoft's emulator, azurite 3.35.0, shows the same.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  @azure/storage-blob@12.34.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { BlockBlobClient } from '@azure/storage-blob';

const { version } = JSON.parse(readFileSync('node_modules/@azure/storage-blob/package.json', 'utf8'));
console.log(`@azure/storage-blob@${version}, node ${process.version}`);

const BYTES = 8 << 20;

/** As much of Blob Storage as the reader asks for: each answer is of the version that is there, and If-Match holds. */
let blob;
function put(letter) {
  blob = { body: Buffer.alloc(BYTES, letter), etag: `"of ${letter}"` };
}
let blocks = 0;
const server = createServer((incoming, response) => {
  if (incoming.method === 'GET' && (blocks += 1) === 2) put('b');
  const { body, etag } = blob;
  const headers = { etag, 'last-modified': new Date(0).toUTCString(), 'x-ms-blob-type': 'BlockBlob', 'x-ms-version': '2025-01-05' };
  if ((incoming.headers['if-match'] ?? etag) !== etag) {
    response.writeHead(412, { ...headers, 'x-ms-error-code': 'ConditionNotMet' });
    response.end();
    return;
  }
  const [, first = 0, last = BYTES - 1] = /bytes=(\d+)-(\d+)/.exec(incoming.headers['x-ms-range'] ?? '') ?? [];
  const part = body.subarray(Number(first), Number(last) + 1);
  const range = incoming.method === 'GET' ? { 'content-range': `bytes ${first}-${last}/${BYTES}` } : {};
  response.writeHead(incoming.method === 'GET' ? 206 : 200, { ...headers, ...range, 'content-length': part.length });
  response.end(incoming.method === 'GET' ? part : undefined);
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const reader = new BlockBlobClient(`http://127.0.0.1:${server.address().port}/account/states/state`);

/** Reads the blob; it is replaced when the second block is asked for. */
async function read(conditionsOf) {
  put('a');
  blocks = 0;
  const { etag } = await reader.getProperties();
  const buffer = await reader.downloadToBuffer(0, undefined, { concurrency: 1, conditions: conditionsOf(etag) });
  const [old, fresh] = ['a', 'b'].map((letter) => buffer.toString().split(letter).length - 1);
  return `${buffer.length} bytes, of these ${old} old and ${fresh} new`;
}
const plain = await read(() => undefined);
const guarded = await read((ifMatch) => ({ ifMatch })).catch((error) => `refused with ${error.statusCode}`);
console.log('expected: the old version, the new one, or an error');
console.log(`seen:     ${plain}; with ifMatch: ${guarded}`);

const holds = plain === `${BYTES} bytes, of these ${BYTES / 2} old and ${BYTES / 2} new` && guarded === 'refused with 412';
if (!holds) console.log('CHANGED: what is read is one version, or refused');
server.close();
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
