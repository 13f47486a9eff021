import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findRedis } from '../../local/nodes.js';
import { layoutFrom } from '../../local/layout.js';
import { CLEANUP_MS, LocalCluster, ROOT, type Foreground } from './local-cluster.js';

/** Longer than the first back-offs of what died. */
const BACK_OFFS_MS = 1_500;
let cluster: LocalCluster;
let foreground: Foreground;
beforeEach(async () => {
  cluster = await LocalCluster.prepare();
  limitFiles();
  foreground = await cluster.start();
});
afterEach(() => cluster.remove(), CLEANUP_MS);

/** A Redis whose files cannot grow beyond 64 KiB, which is to it what a full disk is. */
function limitFiles(): void {
  const tools = path.join(cluster.folder, '../tools');
  mkdirSync(tools);
  const redis = findRedis(layoutFrom(cluster.env), cluster.env);
  const script = `#!/bin/sh\ntrap '' XFSZ\nulimit -f 128\nexec ${redis} "$@"\n`;
  writeFileSync(path.join(tools, 'redis-server'), script);
  chmodSync(path.join(tools, 'redis-server'), 0o755);
  cluster.env['PATH'] = `${tools}:${cluster.env['PATH'] ?? ''}`;
}

test('an acceptor that could not write is not started again by itself, nor by fault.sh, before somebody says that its disk is sound', async () => {
  const folder = path.join(cluster.folder, 'acceptor-1');
  const held = `acceptor-1 is held: the end of ${path.join(cluster.folder, 'logs/acceptor-1.log')} says why, and what to do\n`;
  for (let number = 0; number < 3; number += 1) await cluster.redis(`SETNX ${'k'.repeat(25_000 + number)} v`);
  await foreground.says('acceptor-1  held: the end of');
  await sleep(BACK_OFFS_MS);
  expect(await cluster.node('acceptor-1')).toEqual({ standing: 'held', pid: NaN });
  expect(foreground.stdout).not.toContain('acceptor-1  restarted');
  expect(readFileSync(path.join(cluster.folder, 'logs/acceptor-1.log'), 'utf8')).toMatch(/remove the file "held" alone, and start it\.\n$/);

  expect(await cluster.run('node', 'start', 'acceptor-1')).toEqual({ code: 1, stdout: '', stderr: held });
  expect(existsSync(path.join(folder, 'held'))).toBe(true);
  // The proposers know no acceptor yet, and answer all the same.
  const status = execFileSync(path.join(ROOT, 'node-control/run-control.sh'), ['status'], { env: cluster.env, encoding: 'utf8' });
  expect(status).toMatch(/^acceptor-1:6379 +held /m);
  expect(status).toMatch(/^acceptor-1:6379: This acceptor is HELD: [^]*\n {2}[^]*remove the file "held" alone, and start it\.$/m);
  expect(status).toMatch(/^acceptor-2:6379 +reachable/m);

  const fault = spawnSync(path.join(ROOT, 'node-control/fault.sh'), ['cut', 'acceptor-2'], { env: cluster.env, encoding: 'utf8' });
  expect([fault.status, fault.stdout]).toEqual([1, '']);
  expect(fault.stderr).toMatch(/^A node can be cut off in Docker only: .*fault\.sh pause acceptor-2\n$/);

  rmSync(folder, { recursive: true });
  expect((await cluster.run('node', 'start', 'acceptor-1')).stdout).toBe('acceptor-1 started\n');
  expect(await cluster.redis('GET identity')).toBe('$-1\r\n');
  expect(existsSync(path.join(cluster.folder, 'held/acceptor-1'))).toBe(false);
});
