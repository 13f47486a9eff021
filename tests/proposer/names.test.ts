import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { Cluster } from '../cluster.js';
import { RedisServer } from '../redis-server.js';

/** Enough attempts to reach a dead acceptor to fill all threads, if each of them looked its name up. */
const ATTEMPTS_MS = 3_000;
/** Far less than one look-up of a dead name takes. */
const BACK_WITHIN_MS = 4_000;

it('an acceptor that is gone, on a machine without a name server, keeps no proposer from the others', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'names-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const dead = join(folder, 'dead');
  const acceptors = await Promise.all([1, 2, 3].map(() => RedisServer.start()));
  onTestFinished(async () => {
    await Promise.all(acceptors.map((acceptor) => acceptor.stop()));
  });
  const [first, second] = acceptors as [RedisServer, RedisServer];
  const cluster = await Cluster.forThisTest({
    proposers: 1,
    addresses: acceptors.map(({ port }, index) => `a${index + 1}.test:${port}`),
    env: { DEAD_NAMES: dead, NODE_OPTIONS: `--import=${new URL('preload/slow-names.mjs', import.meta.url).href}` },
  });
  const { kv } = cluster.proposer(1);
  expect(await kv.put('k', 0, 0)).toMatchObject({ ok: true });

  writeFileSync(dead, 'a1.test\n');
  await first.kill9();
  await sleep(ATTEMPTS_MS);
  await second.kill9();
  await second.start();
  await expect.poll(async () => (await kv.put('k', 1, 1)).status, { timeout: BACK_WITHIN_MS }).toBe(200);
});
