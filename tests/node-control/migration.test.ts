import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import { Cluster, configurationOf, majorities } from '../cluster.js';
import { expectNothingLost, increment, newTally, putForSure } from '../increments.js';
import { watchMachine } from '../machine-stalls.js';
import { GROW, SHRINK, START } from './spec-commands.js';

const KEYS = Array.from({ length: 9 }, (_, index) => `key-${index}`);
it('the spec migrates from one acceptor to three and back, twice, under clients: they see no error, and nothing is lost', async () => {
  const cluster = await Cluster.forThisTest({ configured: 0 });
  const hasStalled = await watchMachine();
  const redis = cluster.acceptors.map(({ port }) => new Redis(port, '127.0.0.1'));
  onTestFinished(() => redis.forEach((connection) => connection.disconnect()));
  const keysOf = async (number: number): Promise<string[]> =>
    ((await redis[number - 1]?.keys('r:*')) ?? []).map((name) => name.slice(2)).sort();
  const run = async (commands: readonly string[]): Promise<void> => {
    for (const command of commands) {
      expect(await cluster.control(...command.split(' ')), command).toMatchObject({ code: 0 });
      const [one, two] = await Promise.all(cluster.proposers.map(configurationOf));
      expect(one).toEqual(two);
    }
  };
  await run(START);
  // A key that nobody writes while the cluster grows: only the rescan brings it to acceptor-2.
  await putForSure(cluster.proposer(1).kv, 'quiet', 'kept');

  const tally = newTally();
  let isOver = false;
  const clients = Array.from({ length: 6 }, async (_, index) => {
    const { kv } = cluster.proposer(1 + (index % 2));
    for (let turn = index; !isOver; turn += 1) await increment(kv, KEYS[turn % KEYS.length] ?? '', tally);
  });
  const everyKeyWritten = async (): Promise<void> => {
    const before = new Map(tally.byKey);
    await expect.poll(() => KEYS.every((key) => (tally.byKey.get(key) ?? 0) > (before.get(key) ?? 0)), { timeout: 8_000 }).toBe(true);
  };
  try {
    for (let round = 0; round < 2; round += 1) {
      await everyKeyWritten();
      await run(GROW);
      expect(await configurationOf(cluster.proposer(2))).toMatchObject(majorities(3));
      await everyKeyWritten();
      expect(await keysOf(2)).toEqual([...KEYS, 'quiet'].sort());
      await expect.poll(() => keysOf(3), { timeout: 5_000 }).toEqual(KEYS);
      await run(SHRINK);
      expect(await configurationOf(cluster.proposer(1))).toMatchObject(majorities(1));
      expect([await keysOf(2), await keysOf(3)]).toEqual([[], []]);
    }
  } finally {
    isOver = true;
    await Promise.all(clients);
  }

  const allowed = ['200', '201', 'KeyNotFound', 'VersionMismatch', 'PrepareError', 'ConcurrentRequestError', 'StaleConfiguration'];
  if (hasStalled()) allowed.push('CommitError');
  expect([...tally.codes].filter(([code]) => !allowed.includes(code))).toEqual([]);
  await expectNothingLost([cluster.proposer(1).kv], tally);
  expect(await cluster.proposer(2).kv.get('quiet')).toMatchObject({ body: { ver: 1, val: 'kept' } });
}, 120_000);
