import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { RedisAcceptor } from '../../src/redis-acceptor.js';
import { RedisAdmin } from '../../src/redis-admin.js';
import { freePort, RedisServer } from '../redis-server.js';

const TIMEOUT_MS = 1_000;
let server: RedisServer;
let admin: RedisAdmin;

async function keys(): Promise<Set<string>> {
  const all = new Set<string>();
  for await (const batch of admin.keys()) for (const key of batch) all.add(key);
  return all;
}

beforeAll(async () => {
  server = await RedisServer.start();
  admin = new RedisAdmin(server.address, TIMEOUT_MS);
  await admin.connect();
});
afterAll(async () => {
  admin.close();
  await server.stop();
});

describe('the view of an acceptor as a whole', () => {
  it('lists the keys of all registers, also with a promise alone, and nothing else that is stored', async () => {
    const redis = new Redis({ host: '127.0.0.1', port: server.port });
    const pipeline = redis.pipeline().set('other', 'x').set('R:upper', 'x');
    for (let n = 0; n < 2_500; n += 1) pipeline.hset(`r:${n}`, 'promise', '1.1.1.1');
    await pipeline.exec();
    redis.disconnect();
    const acceptor = new RedisAcceptor({ address: server.address, timeoutMs: TIMEOUT_MS });
    await vi.waitFor(() => expect(acceptor.state).toBe('ready'));
    const odd = ['', 'r:', 'ключ\u0000', 'a b', '*'];
    for (const key of odd) await acceptor.prepare(key, { era: 1, counter: 1, proposer: 1, incarnation: 1 });
    acceptor.close();
    const listed = await keys();
    expect(listed.size).toBe(2_500 + odd.length);
    for (const key of [...odd, '0', '2499']) expect(listed).toContain(key);
    expect(await admin.size()).toBe(2_500 + odd.length + 2);
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
