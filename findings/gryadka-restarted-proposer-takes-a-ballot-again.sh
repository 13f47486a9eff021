#!/usr/bin/env bash
# gryadka 1.61.8: a proposer that was started again uses a ballot of its former life for another value, and an acknowledged write is lost.
#
# What: gryadka is the ancestor of CASPaxos, by the author of its paper: Paxos registers over Redis, with the next promise implied by the last
# accept. A proposer counts its ballots in memory, from zero at each start; only a conflict makes it skip. Here its first life has a value
# accepted by acceptor a alone when b, c and then the proposer itself go down. The next life, with the same id, gets b and c, is refused once (a Redis
# that was started again has forgotten its scripts, and refusals count a ballot), and is then given the very ballot that a has. Its write is
# acknowledged. Now one ballot stands for two values, and a reader takes the one that answers first.
# Why it hurts: an acknowledged write is replaced by one that was never acknowledged, without any error.
# Who should care: who builds on gryadka, or writes a proposer: an id alone does not make ballots unique; a number of its start, on disk before
# the first round, or a fresh id for each start does.
# Source: src/Cache.js of the package (the first ballot of each key), src/Proposer.js; the paper, section 2.2 (ballots are unique).
set -euo pipefail

work=$(mktemp -d)
# SIGKILL, since one that was stopped takes no other signal.
trap 'cat "$work"/*.pid 2>/dev/null | xargs -r kill -KILL 2>/dev/null || true; rm -rf "$work"' EXIT
for tool in node npm redis-server redis-cli; do
  command -v "$tool" >/dev/null || { echo "needs $tool" >&2; exit 3; }
done
cd "$work"
echo '{ "private": true }' >package.json
npm install --no-audit --no-fund --ignore-scripts --loglevel=error gryadka@1.61.8 >npm.log 2>&1 || { cat npm.log >&2; exit 3; }

cat >proposer.cjs <<'JS'
// One life of a proposer. It carries out what it is sent: a value to write, or null to read.
const { Cache, AcceptorClient, Proposer } = require('gryadka');

const { id, ports, hashes } = JSON.parse(process.argv[2]);
const acceptors = ports.map((port) => new AcceptorClient({ ...hashes, storage: { host: '127.0.0.1', port } }));
for (const acceptor of acceptors) {
  acceptor.start();
  acceptor.redis.on('error', () => {});
}
const proposer = new Proposer(new Cache(id), acceptors, { read: 2, write: 2 });
process.on('message', async (val) => {
  const { status, details } = await proposer.changeQuery('key', (present) => [val ?? present, null], (present) => present);
  process.send({ status, value: status === 'OK' ? details : undefined });
});
process.send('ready');
JS

cat >run.mjs <<'JS'
import { execFileSync, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const { version } = JSON.parse(readFileSync('node_modules/gryadka/package.json', 'utf8'));
const redisVersion = /v=(\S+)/.exec(execFileSync('redis-server', ['--version'], { encoding: 'utf8' }))[1];
console.log(`gryadka@${version}, Redis ${redisVersion}, node ${process.version}`);

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

class Acceptor {
  constructor(name, port) {
    Object.assign(this, { name, port });
    mkdirSync(name);
  }
  command(...words) {
    return execFileSync('redis-cli', ['-p', String(this.port), ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  }
  async start() {
    const options = ['--bind', '127.0.0.1', '--port', String(this.port), '--dir', this.name, '--save', '', '--appendonly', 'yes', '--appendfsync', 'always'];
    this.server = spawn('redis-server', options, { stdio: 'ignore' });
    writeFileSync(`${this.name}.pid`, String(this.server.pid));
    for (let tries = 0; ; tries += 1) {
      try {
        if (this.command('ping') === 'PONG') return;
      } catch {
        if (tries === 100) throw new Error('Redis does not answer');
      }
      await sleep(50);
    }
  }
  async kill() {
    const exit = once(this.server, 'exit');
    this.server.kill('SIGKILL');
    await exit;
    rmSync(`${this.name}.pid`);
  }
  loadScripts() {
    const load = (name) => this.command('script', 'load', readFileSync(`node_modules/gryadka/src/lua/${name}.lua`, 'utf8'));
    return { prepare: load('prepare'), accept: load('accept') };
  }
  holds() {
    const [ballot, value] = this.command('mget', 'key/ballot', 'key/value').split('\n');
    return `${this.name} has ballot ${ballot} with ${value}`;
  }
}

const [a, b, c] = [new Acceptor('a', await freePort()), new Acceptor('b', await freePort()), new Acceptor('c', await freePort())];
for (const acceptor of [a, b, c]) await acceptor.start();
const [hashes] = [a, b, c].map((acceptor) => acceptor.loadScripts());

async function proposer(id) {
  const child = fork('proposer.cjs', [JSON.stringify({ id, ports: [a.port, b.port, c.port], hashes })]);
  writeFileSync(`proposer-${child.pid}.pid`, String(child.pid));
  await once(child, 'message');
  return {
    send: (value) => child.send(value),
    async ask(value) {
      child.send(value);
      const [answer] = await once(child, 'message');
      return answer;
    },
    async kill() {
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
      rmSync(`proposer-${child.pid}.pid`);
    },
  };
}

// The first life of proposer 1: its second write reaches a, and nobody is told what became of it.
const first = await proposer(1);
const written = await first.ask('written');
await b.kill();
await c.kill();
first.send('never acknowledged');
while (!a.holds().includes('never')) await sleep(50);
await first.kill();
await a.kill();

// Its second life.
await b.start();
await c.start();
const second = await proposer(1);
const refused = await second.ask('acknowledged');
for (const acceptor of [b, c]) acceptor.loadScripts();
const acknowledged = await second.ask('acknowledged');
await second.kill();
await a.start();
a.loadScripts();
const held = [a, b, c].map((acceptor) => acceptor.holds());

// Another proposer, while c is down and b slower than a.
await c.kill();
const other = await proposer(2);
b.server.kill('SIGSTOP');
const reading = other.ask(null);
await sleep(500);
b.server.kill('SIGCONT');
const read = await reading;
await other.kill();
await a.kill();
await b.kill();

console.log(`         written ${written.status}; after the start ${refused.status}, then ${acknowledged.status} for "acknowledged"`);
console.log('expected: a reader finds "acknowledged", and no two values under one ballot');
console.log(`seen:     the reader finds "${read.value}" (${read.status}); ${held.join(', ')}`);
const holds = refused.status === 'NO' && acknowledged.status === 'OK' && read.status === 'OK' && read.value === 'never acknowledged';
if (!holds) console.log('CHANGED: the acknowledged write is read');
process.exit(holds ? 0 : 1);
JS
code=0
timeout 60 node run.mjs || code=$?
[ "$code" -ne 124 ] || { echo 'not done in 60 seconds' >&2; exit 3; }
exit "$code"
