#!/usr/bin/env bash
# minio 8.0.7: putObject with If-None-Match guards a Buffer, and not the same bytes as a stream: there the condition never reaches the write.
#
# What: a body whose size is not given, as that of a stream of two bytes, is uploaded in parts. The headers of the caller, the condition
# among them, go with the request that begins the upload; the one that ends it, and makes the object, has none. S3 looks at conditions
# where the object is made: PutObject and CompleteMultipartUpload. An upload above the part size (64 MiB) goes the same way, size or not.
# Why it hurts: "create it unless it is there" as a lock, a leader, a commit of a table: refused with 412 in the test with a small Buffer,
# and in production, where the body is a stream, two writers are both told that they created it, and the first one's object is gone.
# Who should care: who makes conditional writes with this client. Give a Buffer, or a stream together with a size below the part size.
# Source: internal/client.ts (uploadStream; completeMultipartUpload takes no headers); the S3 guide on conditional writes, which names the
# two operations. The server here is a stand-in that does as this guide says, and shows what came with each request.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  minio@8.0.7 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { Client } from 'minio';

const { version } = JSON.parse(readFileSync('node_modules/minio/package.json', 'utf8'));
console.log(`minio@${version}, node ${process.version}`);

/** As much of S3 as the client asks for, with the condition where S3 has it: at PutObject and at CompleteMultipartUpload. */
const objects = new Map();
let parts = [];
const requests = [];
const server = createServer(async (incoming, response) => {
  const body = Buffer.concat(await incoming.toArray());
  const { pathname, searchParams } = new URL(incoming.url, 'http://s3');
  const condition = incoming.headers['if-none-match'];
  const make = (content, xml) => {
    if (condition === '*' && objects.has(pathname)) {
      response.writeHead(412, { 'content-type': 'application/xml' });
      response.end('<Error><Code>PreconditionFailed</Code><Message>the object exists</Message></Error>');
      return;
    }
    objects.set(pathname, content);
    response.writeHead(200, { etag: '"1"' });
    response.end(xml);
  };
  const noted = (operation) => requests.push(`${operation}: ${condition ?? 'no condition'}`);
  if (incoming.method === 'GET' && searchParams.has('location')) response.end('<LocationConstraint></LocationConstraint>');
  else if (incoming.method === 'GET') response.end('<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>');
  else if (searchParams.has('uploads')) {
    noted('CreateMultipartUpload');
    parts = [];
    response.end('<InitiateMultipartUploadResult><UploadId>upload</UploadId></InitiateMultipartUploadResult>');
  } else if (searchParams.has('partNumber')) {
    parts.push(body);
    response.writeHead(200, { etag: '"1"' });
    response.end();
  } else if (searchParams.has('uploadId')) {
    noted('CompleteMultipartUpload');
    const names = `<Location>${pathname}</Location><Bucket>bucket</Bucket><Key>${pathname}</Key><ETag>"1"</ETag>`;
    make(Buffer.concat(parts), `<CompleteMultipartUploadResult>${names}</CompleteMultipartUploadResult>`);
  } else {
    noted('PutObject');
    make(body, '');
  }
}).listen(0, '127.0.0.1');
await once(server, 'listening');

const client = new Client({ endPoint: '127.0.0.1', port: server.address().port, useSSL: false, accessKey: 'key', secretKey: 'secret', region: 'us-east-1' });

async function create(name, first, second) {
  const put = (body) => client.putObject('bucket', name, body, undefined, { 'If-None-Match': '*' }).then(() => 'created', (error) => error.code ?? error.message);
  const answers = [await put(first), await put(second)];
  return `${answers.join(', ')}; it holds "${objects.get(`/bucket/${name}`)}"`;
}
const buffers = await create('buffer', Buffer.from('me'), Buffer.from('you'));
const streams = await create('stream', Readable.from([Buffer.from('me')]), Readable.from([Buffer.from('you')]));
console.log('expected: of two creations with If-None-Match: * the second is refused, and the object is the first one');
console.log(`seen:     as Buffers: ${buffers}`);
console.log(`          as streams: ${streams}`);
console.log(`          sent: ${[...new Set(requests)].join('; ')}`);

const holds =
  buffers === 'created, PreconditionFailed; it holds "me"' &&
  streams === 'created, created; it holds "you"' &&
  requests.includes('CompleteMultipartUpload: no condition');
if (!holds) console.log('CHANGED: the condition goes with the request that makes the object');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 30 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 30 seconds' >&2; exit 3; }
exit "$code"
