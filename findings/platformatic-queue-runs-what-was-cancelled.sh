#!/usr/bin/env bash
# @platformatic/job-queue 0.5.0: a job that was cancelled runs once its id is queued again, beside the new one; with files one id is queued twice at once.
#
# What: cancel() deletes the state of the job and leaves its message in the queue; whether it was cancelled is decided when a worker takes it, by whether there is a
# state. A new job of the same id brings one, and both messages run, the cancelled one first. Memory, files and Redis alike. FileStorage besides looks for a state and
# then writes one: two enqueue() at the same time are both answered "queued", and both run, where the other storages say "duplicate" to the second.
# Why it hurts: "cancel, and queue it with the right amount" charges both amounts, under an id that is there to make it once; the answers were cancelled and queued.
# Who should care: who corrects jobs by their id. Cancel and queue under a new id, or wait until a worker has taken the old message; one producer with FileStorage.
# Source: dist/producer.js (cancel: deleteJob), dist/consumer.js (no state: "Job was cancelled"), dist/storage/file.js (enqueue); the readme on deduplication and cancel.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for tool in node npm redis-server; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true, "type": "module" }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error \
  @platformatic/job-queue@0.5.0 iovalkey@0.4.0 fast-write-atomic@0.4.0 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >run.mjs <<'JS'
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FileStorage, MemoryStorage, Queue, RedisStorage } from '@platformatic/job-queue';

const { version } = JSON.parse(readFileSync('node_modules/@platformatic/job-queue/package.json', 'utf8'));
console.log(`@platformatic/job-queue@${version}, node ${process.version}`);

/** A Redis on loopback without files; its port. */
async function startRedis() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  const server = spawn('redis-server', ['--port', port, '--bind', '127.0.0.1', '--dir', process.cwd(), '--save', ''], { stdio: 'ignore' });
  process.on('exit', () => server.kill('SIGKILL'));
  process.on('SIGTERM', () => process.exit(3));
  for (let tries = 0; ; tries += 1) {
    const socket = connect(port, '127.0.0.1');
    const isReady = await once(socket, 'connect').then(() => true, () => false);
    socket.destroy();
    if (isReady) return port;
    if (tries === 100) {
      console.error('redis-server does not start');
      process.exit(3);
    }
    await sleep(100);
  }
}

const storages = {
  memory: new MemoryStorage(),
  files: new FileStorage({ basePath: join(process.cwd(), 'queue') }),
  Redis: new RedisStorage({ url: `redis://127.0.0.1:${await startRedis()}` }),
};

const results = [];
for (const [kind, storage] of Object.entries(storages)) {
  await storage.connect();
  const queue = new Queue({ storage, blockTimeout: 1 });
  const ran = [];
  let last;
  const done = new Promise((resolve) => (last = resolve));
  queue.execute(async ({ payload }) => {
    if (payload === 'last') last();
    else ran.push(payload);
    return true;
  });
  const first = await queue.enqueue('invoice', '100');
  const cancel = await queue.cancel('invoice');
  const second = await queue.enqueue('invoice', '10');
  const twice = await Promise.all([queue.enqueue('mail', 'mail'), queue.enqueue('mail', 'mail')]);
  await queue.enqueue('last', 'last');
  await queue.start();
  await done;
  await queue.stop();
  const answers = [first, cancel, second].map(({ status }) => status);
  results.push({ kind, answers, ran: ran.filter((payload) => payload !== 'mail'), twice: twice.map(({ status }) => status), mails: ran.filter((payload) => payload === 'mail').length });
}

console.log('expected: an invoice of 100 is queued and cancelled, one of 10 is queued under its id: 10 runs; a mail that is queued twice at once runs once');
for (const { kind, answers, ran, twice, mails } of results) {
  console.log(`seen:     ${kind}: ${answers.join(', ')}; ran: ${ran.join(' and ')}; the mail: ${twice.join(' and ')}; ran: ${mails}`);
}

const bothRun = results.every(({ answers, ran }) => answers.join() === 'queued,cancelled,queued' && ran.join() === '100,10');
const mailsOf = Object.fromEntries(results.map(({ kind, mails }) => [kind, mails]));
const holds = bothRun && mailsOf.memory === 1 && mailsOf.Redis === 1 && mailsOf.files === 2;
if (!holds) console.log('CHANGED: what was cancelled does not run, or files know a duplicate');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 40 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 40 seconds' >&2; exit 3; }
exit "$code"
