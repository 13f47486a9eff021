import type { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RedisAdmin } from '../../src/redis/redis-admin.js';
import { acceptorName, Cluster, redisOf, UNHURRIED } from '../cluster.js';
import { sharedCluster } from '../shared-cluster.js';

const [one, two, three] = [acceptorName(1), acceptorName(2), acceptorName(3)];
type Stored = Record<string, string>;

async function registers(redis: Redis): Promise<Record<string, Stored>> {
  const found: Record<string, Stored> = {};
  for (const name of (await redis.keys('r:*')).sort()) found[name.slice(2)] = await redis.hgetall(name);
  return found;
}

async function control(cluster: Cluster, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cluster.control(...args);
  expect([code, stderr], args.join(' ')).toEqual([0, '']);
  return stdout;
}

/** One acceptor serves with some keys, one of them deleted; then both accept, and a rescan must come first. */
async function growing(keys: readonly string[], acceptors = 2): Promise<Cluster> {
  const cluster = await sharedCluster({ acceptors, configured: 0, env: UNHURRIED });
  for (const command of ['add-accept', 'add-prepare']) await control(cluster, command, 'all', one, '1');
  for (const [index, key] of keys.entries())
    expect(await cluster.proposer(1 + (index % 2)).kv.put(key, 0, key)).toMatchObject({ ok: true });
  await control(cluster, 'add-accept', 'all', two, '2');
  return cluster;
}

const KEYS = ['a', 'b', 'é', ' ', 'r:r:x', '*', 'large'];

describe('a rescan', () => {
  it('copies each register to the new acceptor with its own ballot, and no proposer runs a round for it', async () => {
    const cluster = await growing(KEYS);
    const [first, second] = [redisOf(cluster, 1), redisOf(cluster, 2)];
    const before = await registers(first);
    expect(Object.keys(before).sort()).toEqual([...KEYS].sort());
    expect(await registers(second)).toEqual({});
    expect(await control(cluster, 'rescan', `${one},${two}`, '2')).toMatch(new RegExp(`^${KEYS.length} keys rescanned \\(era \\d+\\)\\n$`));
    expect(await registers(first), 'of the first acceptor').toEqual(before);
    for (const [key, { ballot, value, promise }] of Object.entries(await registers(second))) {
      expect([key, ballot, value]).toEqual([key, before[key]?.['ballot'], before[key]?.['value']]);
      expect(promise).toBe(ballot);
    }
    await control(cluster, 'add-prepare', 'all', two, '2');
    for (const key of KEYS) expect(await cluster.proposer(1).kv.get(key)).toMatchObject({ body: { ver: 1, val: key } });
    await cluster.acceptor(1).kill9();
    expect(await cluster.proposer(1).kv.get('a'), 'on the second alone').toMatchObject({ ok: false });
  });

  it('runs a round for each key where it is told to', async () => {
    const cluster = await growing(['a', 'b']);
    const [first, second] = [redisOf(cluster, 1), redisOf(cluster, 2)];
    const before = await registers(first);
    await control(cluster, 'rescan', `${one},${two}`, '2', '--by-rounds');
    const after = await registers(second);
    for (const key of ['a', 'b']) {
      expect(after[key]?.['value']).toBe(before[key]?.['value']);
      expect(Number(after[key]?.['ballot']?.split('.')[0]), 'the era of its ballot').toBeGreaterThan(
        Number(before[key]?.['ballot']?.split('.')[0]),
      );
    }
  });

  it('runs a round for a key that the new acceptor has promised to another ballot, and copies the others', async () => {
    const cluster = await growing(['a', 'promised']);
    const [first, second] = [redisOf(cluster, 1), redisOf(cluster, 2)];
    const before = await registers(first);
    const [era = '0'] = before['promised']?.['promise']?.split('.') ?? [];
    await second.hset('r:promised', 'promise', `${era}.900.1.1`);
    await control(cluster, 'rescan', `${one},${two}`, '2');
    const after = await registers(second);
    expect(after['a']?.['ballot']).toBe(before['a']?.['ballot']);
    expect(after['promised']).toMatchObject({ value: before['promised']?.['value'] ?? '' });
    expect(after['promised']?.['ballot']).not.toBe(before['promised']?.['ballot']);
  });

  it('copies nothing where a quorum has what was written meanwhile', async () => {
    const cluster = await growing(['a']);
    expect(await cluster.proposer(1).kv.put('a', 1, 'written meanwhile')).toMatchObject({ ok: true });
    const before = [await registers(redisOf(cluster, 1)), await registers(redisOf(cluster, 2))];
    await control(cluster, 'rescan', `${one},${two}`, '2');
    expect([await registers(redisOf(cluster, 1)), await registers(redisOf(cluster, 2))]).toEqual(before);
  });

  it('takes the highest ballot where acceptors differ', async () => {
    const cluster = await growing(['a'], 3);
    await control(cluster, 'resize', `${one},${two}`);
    expect(await cluster.proposer(1).kv.put('a', 1, 'newest')).toMatchObject({ ok: true });
    await redisOf(cluster, 1).hset('r:a', { ballot: '1.1.1.1', value: '{"ver":1,"val":"a","ops":["x"]}' });
    await control(cluster, 'add-accept', 'all', three, '2');
    await control(cluster, 'rescan', `${one},${two}`, '2');
    const { ballot = '', value = '' } = (await registers(redisOf(cluster, 2)))['a'] ?? {};
    expect((await registers(redisOf(cluster, 3)))['a']).toEqual({ promise: ballot, ballot, value });
    expect(value).toContain('newest');
  });

  it('takes no value from an acceptor that left, and holds what was deleted and collected since', async () => {
    const cluster = await sharedCluster({ configured: 0, env: UNHURRIED });
    await control(cluster, 'resize', `${one},${three}`);
    for (const key of ['gone', 'kept']) expect(await cluster.proposer(1).kv.put(key, 0, key)).toMatchObject({ ok: true });
    await control(cluster, 'resize', one);
    await control(cluster, 'rescan', one, '1');
    expect(await cluster.proposer(1).kv.delete('gone', 1)).toMatchObject({ ok: true });
    expect(await control(cluster, 'collect')).toMatch(/^1 register of deleted keys removed/);
    expect(Object.keys(await registers(redisOf(cluster, 3))).sort()).toEqual(['gone', 'kept']);
    await control(cluster, 'add-accept', 'all', two, '2');
    await control(cluster, 'rescan', `${one},${three}`, '1');
    for (const number of [1, 2]) expect((await registers(redisOf(cluster, number)))['gone']?.['value'] ?? '').toBe('');
    expect(await cluster.proposer(2).kv.get('gone')).toMatchObject({ code: 'KeyNotFound' });
    expect(await cluster.proposer(2).kv.get('kept')).toMatchObject({ body: { val: 'kept' } });
  });

  it('proves nothing where an acceptor is another one at its end', async () => {
    const cluster = await growing(['a']);
    const spy = vi.spyOn(RedisAdmin.prototype, 'copy').mockImplementation(async (_era, registers) => {
      await redisOf(cluster, 2).set('identity', 'acceptor-2:6379#another');
      return registers.map(({ ballot }) => ballot);
    });
    onTestFinished(() => spy.mockRestore());
    const { code, stderr } = await cluster.control('rescan', one, '1');
    expect([code, stderr]).toEqual([
      1,
      'error: acceptor-2:6379 is not the acceptor any more that it was when the rescan began, so it proves nothing. Look at the status, and run it again.\n',
    ]);
  });

  it('copies nothing to an acceptor that is another one than the sets mean, and says what to look at', async () => {
    const cluster = await growing(['a']);
    const second = redisOf(cluster, 2);
    await second.set('identity', 'acceptor-2:6379#another');
    const { code, stderr } = await cluster.control('rescan', one, '1');
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/error: 1 of 1 keys failed\. Run the rescan again\n {2}"a": .*acceptor-2:6379/),
    ]);
    expect(await registers(second)).toEqual({});
    expect((await cluster.control('status')).stdout).toMatch(/acceptor-2:6379 .*lost its data or is another acceptor/);
    // As the status says.
    for (const command of [`resize ${one}`, `wipe-acceptor ${two}`, `resize ${one},${two}`]) await control(cluster, ...command.split(' '));
    expect(await cluster.proposer(2).kv.get('a')).toMatchObject({ body: { val: 'a' } });
    expect(Object.keys(await registers(second))).toEqual(['a']);
  });

  it('copies nothing to an address that leads to an acceptor which is there already: its copies would count twice', async () => {
    const cluster = await growing(['a']);
    const second = redisOf(cluster, 2);
    await second.set('identity', String(await redisOf(cluster, 1).get('identity')));
    expect(await cluster.control('rescan', one, '1')).toMatchObject({ code: 1 });
    expect(await registers(second)).toEqual({});
  });

  it('asks for no more bytes at a time than fit into a message', async () => {
    const cluster = await growing([]);
    const large = 'x'.repeat(60_000);
    const pipeline = redisOf(cluster, 1).pipeline();
    for (let index = 0; index < 60; index += 1) {
      pipeline.hset(`r:${index}`, { promise: '0.2.1.1', ballot: '0.1.1.1', value: JSON.stringify({ ver: 1, val: large, ops: ['x'] }) });
    }
    await pipeline.exec();
    const asked = vi.spyOn(RedisAdmin.prototype, 'accepted');
    onTestFinished(() => asked.mockRestore());
    await control(cluster, 'rescan', `${one},${two}`, '2');
    const counts = asked.mock.calls.map(([keys]) => keys.length);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(60);
    expect(Math.max(...counts)).toBeLessThanOrEqual(1 + (1024 * 1024) / 60_000);
    expect(Object.keys(await registers(redisOf(cluster, 2)))).toHaveLength(60);
  });

  it('brings keys to a quorum although one acceptor of the set is down', async () => {
    const cluster = await growing(['a', 'b'], 3);
    await control(cluster, 'resize', `${one},${two}`);
    await control(cluster, 'add-accept', 'all', three, '2');
    await cluster.acceptor(3).kill9();
    const { code, stdout } = await cluster.control('rescan', `${one},${two}`, '2');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^2 keys rescanned/)]);
  });

  it('ends where the memory of an acceptor is full that has to take what it lacks, and goes on where there is room', async () => {
    const cluster = await growing(['a', 'b']);
    const second = redisOf(cluster, 2);
    await second.config('SET', 'maxmemory', '1');
    const { code, stderr } = await cluster.control('rescan', one, '1');
    expect([code, stderr]).toEqual([
      1,
      'error: acceptor-2:6379: OOM, its memory is full, so no quorum can hold the keys that it lacks, and the rescan was given up. ' +
        'Give it more memory (see "The memory of an acceptor is full" in docs/operations.md), and run it again.\n',
    ]);
    await second.config('SET', 'maxmemory', '0');
    expect(await control(cluster, 'rescan', one, '1')).toMatch(/^2 keys rescanned/);
  });

  it('runs a round for a key that a full acceptor holds already', async () => {
    const cluster = await growing(['a']);
    await control(cluster, 'rescan', one, '1');
    const second = redisOf(cluster, 2);
    const { ballot } = await second.hgetall('r:a');
    await redisOf(cluster, 1).hset('r:a', { promise: '0.1.1.1', ballot: '0.1.1.1' });
    await redisOf(cluster, 1).config('SET', 'maxmemory', '1');
    expect(await control(cluster, 'rescan', `${one},${two}`, '2')).toMatch(/^1 key rescanned/);
    expect(await redisOf(cluster, 1).hget('r:a', 'ballot')).not.toBe(ballot);
    await redisOf(cluster, 1).config('SET', 'maxmemory', '0');
  });
});
