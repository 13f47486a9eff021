import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { countText, countTombstones } from '../../../node-control/collection/sample.js';
import { RedisAdmin } from '../../../src/redis/redis-admin.js';
import { acceptorName, Cluster } from '../../cluster.js';
import { RedisServer } from '../../redis-server.js';

const NAMES = [1, 2, 3].map(acceptorName);
const TOMBSTONE = '{"ver":2,"val":null,"ops":[],"deleted":true}';

/** An acceptor that holds registers with these texts, and what the control node asks it. Counts the messages about registers. */
async function holding(texts: readonly string[]) {
  const server = await RedisServer.start();
  onTestFinished(() => server.stop());
  const redis = new Redis(server.port, '127.0.0.1');
  const filling = redis.pipeline();
  texts.forEach((value, index) => filling.hset(`r:k${index}`, { promise: '1.1.1.1', ballot: '1.1.1.1', value }));
  await filling.exec();
  redis.disconnect();
  const admin = new RedisAdmin(server.address, 10_000);
  await admin.connect();
  onTestFinished(() => admin.close());
  let asked = 0;
  const counted: Parameters<typeof countTombstones>[0] = {
    keys: () => admin.keys(),
    remains: (keys) => {
      asked += keys.length;
      return admin.remains(keys);
    },
  };
  return { admin: counted, asked: () => asked };
}

describe('the tombstones of an acceptor', () => {
  it('are counted one by one where there are few registers', async () => {
    const texts = [TOMBSTONE, '', '{"ver":1,"val":"v","ops":[]}', TOMBSTONE];
    const { admin } = await holding(texts);
    expect(await countTombstones(admin, texts.length)).toEqual({ count: 2, isExact: true });
  });

  it('are told by a sample of a bounded size where there are many', async () => {
    const texts = Array.from({ length: 20_000 }, (_, index) => (index < 5_000 ? TOMBSTONE : '{"ver":1,"val":"v","ops":[]}'));
    const { admin, asked } = await holding(texts);
    const { count, isExact } = await countTombstones(admin, texts.length);
    expect(isExact).toBe(false);
    // A quarter of a thousand; 5 standard deviations are 7%.
    expect(count).toBeGreaterThan(3_600);
    expect(count).toBeLessThan(6_400);
    expect(asked()).toBeLessThanOrEqual(1_000);
  });

  it('are told as they were counted', () => {
    expect(countText({ count: 1_200, isExact: false })).toBe('about 1,200');
    expect(countText({ count: 7, isExact: true })).toBe('7');
  });
});

it('status counts the tombstones of each acceptor, and says how they are removed', async () => {
  const cluster = await Cluster.forThisTest({ configured: 0 });
  const status = async (): Promise<string> => (await cluster.control('status')).stdout;
  expect((await cluster.control('resize', NAMES.join(','))).code).toBe(0);
  const { kv } = cluster.proposer(1);
  for (const key of ['a', 'b', 'kept']) expect(await kv.put(key, 0, 'v')).toMatchObject({ ok: true });
  expect(await status()).not.toContain('ombstone');
  expect(await kv.delete('a')).toMatchObject({ ok: true });
  await expect
    .poll(status)
    .toContain(
      `\nTombstones of deleted keys: ${NAMES.map((name) => `1 on ${name}`).join(', ')}. To remove them: ./run-control.sh collect.\n`,
    );
  await cluster.acceptor(3).kill9();
  expect(await kv.delete('b')).toMatchObject({ ok: true });
  expect(await status()).toContain(`: 2 on ${NAMES[0]}, 2 on ${NAMES[1]}. To`);
  await cluster.acceptor(3).start();
  expect(await status()).toContain(`: 2 on ${NAMES[0]}, 2 on ${NAMES[1]}, 1 on ${NAMES[2]}. To`);
  await expect
    .poll(() => cluster.control('collect'), { timeout: 20_000 })
    .toMatchObject({ stdout: expect.stringMatching(/^2 reg/) as unknown });
  expect(await status()).not.toContain('ombstone');
});
