import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Ballot } from '../../../src/protocol/ballot.js';
import { RedisAcceptor } from '../../../src/redis/redis-acceptor.js';
import { RedisAdmin } from '../../../src/redis/redis-admin.js';
import { freePort, RedisServer } from '../../redis-server.js';
import { describeAdmin } from './admin-conformance.js';

const TIMEOUT_MS = 5_000;
/** A busy machine takes this long for anything. */
const HANG_MS = 10_000;
let server: RedisServer;
let admin: RedisAdmin;

async function another(): Promise<RedisAdmin> {
  const other = new RedisAdmin(server.address, TIMEOUT_MS);
  onTestFinished(() => other.close());
  await other.connect();
  return other;
}

async function keys(): Promise<Set<string>> {
  const all = new Set<string>();
  for await (const batch of admin.keys()) for (const key of batch) all.add(key);
  return all;
}

async function meaning(identity?: string): Promise<RedisAcceptor> {
  const acceptor = new RedisAcceptor({ address: server.address, timeoutMs: TIMEOUT_MS, identity });
  onTestFinished(() => acceptor.close());
  await vi.waitFor(() => expect(acceptor.state).not.toBe('unreachable'), HANG_MS);
  return acceptor;
}

const ballot = (era: number, counter: number): Ballot => ({ era, counter, proposer: 1, incarnation: 1 });

beforeAll(async () => {
  server = await RedisServer.start();
});
beforeEach(async () => {
  admin = new RedisAdmin(server.address, TIMEOUT_MS);
  await admin.connect();
});
afterEach(() => admin.close());
afterAll(() => server.stop());

describeAdmin('a Redis', another, () => meaning());

describe('the view of an acceptor as a whole', () => {
  it('lists the keys of all registers, also with a promise alone, and nothing else that is stored', async () => {
    const redis = new Redis({ host: '127.0.0.1', port: server.port });
    const pipeline = redis.pipeline().set('other', 'x').set('R:upper', 'x');
    for (let n = 0; n < 2_500; n += 1) pipeline.hset(`r:${n}`, 'promise', '1.1.1.1');
    await pipeline.exec();
    redis.disconnect();
    const acceptor = new RedisAcceptor({ address: server.address, timeoutMs: TIMEOUT_MS });
    await vi.waitFor(() => expect(acceptor.state).toBe('ready'), HANG_MS);
    const odd = ['', 'r:', 'ключ\u0000', 'a b', '*'];
    for (const key of odd) await acceptor.prepare(key, { era: 1, counter: 1, proposer: 1, incarnation: 1 });
    acceptor.close();
    const listed = await keys();
    expect(listed.size).toBe(2_500 + odd.length);
    for (const key of [...odd, '0', '2499']) expect(listed).toContain(key);
    expect(await admin.size()).toBe(2_500 + odd.length + 2);
  });

  it('wipes nothing where the acceptor is another one than was looked at: a wipe that comes late finds one that has joined', async () => {
    const later = new RedisAdmin(server.address, TIMEOUT_MS);
    await later.connect();
    const size = await later.size();
    const identity = await later.identity();
    expect(identity).toBeUndefined();
    await later.adopt('acceptor-1#9');
    await expect(later.wipe({ identity })).rejects.toThrow('it joined under a new identity meanwhile');
    await expect(later.wipe({ identity: 'acceptor-1#8' })).rejects.toThrow('it joined under a new identity meanwhile');
    expect([await later.size(), await later.identity()]).toEqual([size, 'acceptor-1#9']);
    await server.ask((redis) => redis.del('identity'));
    later.close();
  });

  it('wipes all of it, and says how much that was', async () => {
    const size = await admin.size();
    expect(size).toBeGreaterThan(0);
    expect(await admin.wipe()).toBe(size);
    expect(await admin.size()).toBe(0);
    expect(await admin.wipe()).toBe(0);
    expect([...(await keys())]).toEqual([]);
    await server.kill9();
    await server.start();
    const after = new RedisAdmin(server.address, TIMEOUT_MS);
    await after.connect();
    expect(await after.size()).toBe(0);
    after.close();
  });

  it('wipes after closing every other connection, so that an earlier wipe which is still on its way cannot arrive later', async () => {
    const earlier = new Redis({ host: '127.0.0.1', port: server.port, retryStrategy: () => null, maxRetriesPerRequest: 0 });
    earlier.on('error', () => undefined);
    await earlier.set('a', 'b');
    const later = new RedisAdmin(server.address, TIMEOUT_MS);
    await later.connect();
    expect(await later.wipe()).toBe(1);
    await expect(earlier.flushall()).rejects.toThrow();
    later.close();
  });

  it('says where the acceptor cannot be reached', async () => {
    const nobody = new RedisAdmin(`127.0.0.1:${await freePort()}`, TIMEOUT_MS);
    await expect(nobody.connect()).rejects.toThrow();
    nobody.close();
  });
});

describe('the identity of an acceptor', () => {
  const FIRST = 'acceptor-1:6379#first';
  const SECOND = 'acceptor-1:6379#second';

  it('of two that give it one at once is that of one of them, and the other one learns it or is cut off', async () => {
    await admin.wipe();
    const others = [await another(), await another()];
    const given = await Promise.allSettled([others[0]?.adopt(FIRST), others[1]?.adopt(SECOND)]);
    const told = given.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(new Set(told).size).toBe(1);
    admin = await another();
    expect(await admin.identity()).toBe(told[0]);
  });

  it('is no register: it is neither counted nor listed', async () => {
    await admin.wipe();
    await admin.adopt(FIRST);
    expect(await admin.size()).toBe(0);
    const acceptor = await meaning(FIRST);
    await acceptor.prepare('identity', ballot(1, 1));
    expect(await admin.size()).toBe(1);
    expect([...(await keys())]).toEqual(['identity']);
    expect(await admin.identity()).toBe(FIRST);
    expect(await admin.wipe()).toBe(1);
  });

  it('lasts as the data do, through SIGKILL, and goes with them by a wipe', async () => {
    await admin.adopt(FIRST);
    await server.kill9();
    await server.start();
    admin = await another();
    expect(await admin.identity()).toBe(FIRST);
    expect(await admin.wipe()).toBe(0);
    expect(await admin.identity()).toBeUndefined();
    await server.kill9();
    await server.start();
    expect(await (await another()).identity()).toBeUndefined();
  });

  it('is another one after a wipe: who means the first does not use it, who means the second does', async () => {
    await admin.adopt(FIRST);
    const before = await meaning(FIRST);
    await before.accept('k', ballot(1, 1), 'v', ballot(1, 2));
    await admin.wipe();
    expect(await admin.adopt(SECOND)).toBe(SECOND);
    await vi.waitFor(() => expect(before.state).toBe('stranger'), HANG_MS);
    const after = await meaning(SECOND);
    expect(await after.accept('k', ballot(2, 1), 'w', ballot(2, 2))).toEqual({ ok: true });
    await expect(before.read('k')).rejects.toThrow(/not acceptor-1:6379#first/);
    expect((await meaning(FIRST)).state).toBe('stranger');
  });

  it('that could not be given is an error', async () => {
    const redis = new Redis({ host: '127.0.0.1', port: server.port });
    onTestFinished(() => redis.disconnect());
    await admin.wipe();
    await vi.waitFor(() => redis.config('SET', 'maxmemory', 1), HANG_MS);
    await expect(admin.adopt(FIRST)).rejects.toThrow();
    await redis.config('SET', 'maxmemory', 0);
    expect(await admin.identity()).toBeUndefined();
  });
});

describe('the highest era', () => {
  it('is 0 where there is no register, and that of the highest promise or ballot where there are some', async () => {
    await admin.wipe();
    await admin.adopt('acceptor-1:6379#x');
    expect(await admin.highestEra()).toBe(0);
    const acceptor = await meaning('acceptor-1:6379#x');
    await acceptor.accept('a', ballot(9, 500), 'v', ballot(9, 501));
    expect(await admin.highestEra()).toBe(9);
    await acceptor.accept('b', ballot(3, 1), 'v', ballot(10, 1));
    expect(await admin.highestEra()).toBe(10);
    await acceptor.prepare('c', ballot(11, 1));
    expect(await admin.highestEra()).toBe(11);
    await Promise.all(Array.from({ length: 2_500 }, (_, n) => acceptor.prepare(`many ${n}`, ballot(n === 2_000 ? 77 : 1, 1))));
    expect(await admin.highestEra()).toBe(77);
  });
});

describe('what greetings leave beside the registers', () => {
  it('is no register; eras are forgotten when the acceptor joins again, the count is not, and a wipe takes both', async () => {
    await admin.wipe();
    await admin.adopt('acceptor-1:6379#x');
    const redis = new Redis({ host: '127.0.0.1', port: server.port });
    onTestFinished(() => redis.disconnect());
    await redis.pipeline().set('beats', 7).hset('eras', '1', '50').hset('r:k', 'promise', '1.1.1.1').exec();
    expect(await admin.size()).toBe(1);
    expect(await admin.eras()).toEqual(new Map([[1, 50]]));
    expect(await admin.adopt('acceptor-1:6379#x')).toBe('acceptor-1:6379#x');
    expect(await admin.eras()).toEqual(new Map());
    redis.disconnect();
    const again = new Redis({ host: '127.0.0.1', port: server.port });
    onTestFinished(() => again.disconnect());
    expect([await again.get('beats'), await again.exists('eras')]).toEqual(['7', 0]);
    expect(await admin.wipe({ identity: 'acceptor-1:6379#x' })).toBe(1);
    expect(await admin.size()).toBe(0);
  });
});

describe('a collection on an acceptor whose memory is full', () => {
  it('goes through: it is what makes room', async () => {
    await admin.wipe();
    const redis = new Redis({ host: '127.0.0.1', port: server.port });
    onTestFinished(() => redis.disconnect());
    await redis.hset('r:k', 'promise', '1.2.1.1', 'ballot', '1.1.1.1', 'value', '{"ver":2,"val":null,"ops":["a"],"deleted":true}');
    await redis.config('SET', 'maxmemory', '1');
    try {
      await expect(redis.set('other', 1)).rejects.toThrow('OOM');
      const [remains] = await admin.remains(['k']);
      expect(remains).toEqual({ key: 'k', ballot: ballot(1, 1), version: 2 });
      await admin.raiseFloor({ era: 4, version: 2 });
      expect(await admin.floor()).toEqual({ era: 4, version: 2 });
      expect(await admin.erase(4, [{ key: 'k', ballot: ballot(1, 1), version: 2 }])).toBe(1);
      expect(await redis.exists('r:k')).toBe(0);
    } finally {
      await redis.config('SET', 'maxmemory', '0');
    }
  });

  it('tells nothing of registers of which one holds bytes that are no text: the others would be cut at the wrong places', async () => {
    const redis = new Redis({ host: '127.0.0.1', port: server.port });
    onTestFinished(() => redis.disconnect());
    await redis.hset('r:a', { promise: '1.2.1.1', ballot: '1.1.1.1', value: Buffer.from([0x22, 0xff, 0x22]) });
    await redis.hset('r:b', { promise: '1.2.1.1', ballot: '1.1.1.1', value: '"é"' });
    await expect(admin.accepted(['a', 'b'])).rejects.toThrow('a value is no text');
    expect(await admin.accepted(['b'])).toEqual([{ key: 'b', ballot: '1.1.1.1', value: '"é"' }]);
  });
});
