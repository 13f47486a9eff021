import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LocalCluster, ROOT, type Finished } from './local-cluster.js';

const SCRIPT = path.join(ROOT, 'local/install-redis.sh');
/** The whole PATH of the script: real tools by link, package managers by stand-in. */
let tools: string;

beforeEach(() => {
  tools = mkdtempSync(path.join(tmpdir(), 'tools-'));
  for (const name of ['bash', 'cat', 'env', 'chmod', 'touch']) {
    const real = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim();
    symlinkSync(real, path.join(tools, name));
  }
});
afterEach(() => rmSync(tools, { recursive: true }));

test('does nothing where Redis, or Valkey, is there', () => {
  standIn('valkey-server', '');
  manager('apt-get');
  expect(run()).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(installed()).toEqual([]);
});

test('installs straight away as root', () => {
  user(0);
  manager('apt-get');
  expect(run().code).toBe(0);
  expect(installed()).toEqual(['apt-get update', 'apt-get install -y redis-server']);
});

test('without a terminal to ask on it says what to type, and installs nothing', () => {
  user(1000);
  manager('apt-get');
  manager('sudo');
  expect(run()).toEqual({
    code: 1,
    stdout: '',
    stderr: 'redis-server (or valkey-server) is not installed.\nType: sudo apt-get update && sudo apt-get install -y redis-server\n',
  });
  expect(installed()).toEqual([]);
});

test.each([
  ['apt-get', 'Type: sudo apt-get update && sudo apt-get install -y redis-server\n'],
  ['dnf', 'Type: sudo dnf install -y redis || sudo dnf install -y valkey\n'],
  ['apk', 'Type: sudo apk add redis\n'],
  ['brew', 'Type: brew install redis\n'],
])('%s has its own words', (name, words) => {
  user(1000);
  manager(name);
  expect(run('--print')).toEqual({ code: 0, stdout: words, stderr: '' });
});

test('where no package manager is known it says where to look', () => {
  user(0);
  expect(run()).toMatchObject({ code: 1, stdout: '' });
  expect(run().stderr).toContain('https://redis.io/');
});

test('Homebrew never runs as root', () => {
  user(0);
  manager('brew');
  expect(run().code).toBe(1);
  expect(installed()).toEqual([]);
});

test('an installation that fails says so', () => {
  user(0);
  standIn('apt-get', 'exit 100');
  expect(run()).toMatchObject({ code: 1 });
  expect(run().stderr).toContain('The installation failed');
});

test('--help, and what it does not know', () => {
  expect(run('--help')).toMatchObject({ code: 0, stderr: '' });
  expect(run('--hepl')).toMatchObject({ code: 2, stdout: '' });
});

test('the supervisor says the same, and starts nothing', async () => {
  user(0);
  manager('apk');
  const cluster = await LocalCluster.prepare();
  cluster.env['PATH'] = tools;
  expect(await cluster.run('start')).toEqual({
    code: 1,
    stdout: '',
    stderr: 'redis-server (or valkey-server) is not installed. Type: apk add redis\n',
  });
  await cluster.remove();
});

function run(...args: string[]): Finished {
  const { status, stdout, stderr } = spawnSync(path.join(tools, 'bash'), [SCRIPT, ...args], {
    env: { PATH: tools },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { code: status, stdout, stderr };
}

function standIn(name: string, script: string): void {
  const file = path.join(tools, name);
  writeFileSync(file, `#!${path.join(tools, 'bash')}\n${script}\n`);
  chmodSync(file, 0o755);
}

function user(id: number): void {
  standIn('id', `echo ${id}`);
}

/** A package manager that notes what it was told and brings a redis-server. */
function manager(name: string): void {
  standIn(name, `echo "${name} $*" >>${tools}/log; touch ${tools}/redis-server; chmod +x ${tools}/redis-server`);
}

function installed(): string[] {
  const log = path.join(tools, 'log');
  return existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : [];
}
