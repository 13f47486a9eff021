import { StrangerError } from '../../../src/protocol/errors.js';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { RedisAcceptor } from '../../../src/redis/redis-acceptor.js';
import { RedisServer } from '../../redis-server.js';
import { describeIdentity } from '../identity-conformance.js';
import { b, becomes, closeAll, ME, meaning, messages, refusesAll, TIMEOUT_MS, type Watched } from '../meant-acceptor.js';

afterEach(closeAll);

describe('with a real Redis', () => {
  let server: RedisServer;
  let redis: Redis;
  beforeAll(async () => {
    server = await RedisServer.start();
    redis = new Redis({ host: '127.0.0.1', port: server.port, maxRetriesPerRequest: null });
    redis.on('error', () => undefined);
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  const present = (identity: string | undefined): Promise<unknown> =>
    identity === undefined ? redis.del('identity') : redis.set('identity', identity);

  async function ready(identity?: string): Promise<Watched> {
    await present(identity);
    const watched = meaning(identity, server.address);
    await becomes(watched.acceptor, 'ready');
    return watched;
  }

  describeIdentity(
    'the Redis acceptor',
    () => anybody,
    async (who) => {
      const { acceptor } = await ready(who.meant);
      await present(who.present);
      return acceptor;
    },
  );
  let anybody: RedisAcceptor;
  beforeAll(async () => {
    anybody = new RedisAcceptor({ address: server.address, timeoutMs: TIMEOUT_MS });
    await becomes(anybody, 'ready');
  });
  afterAll(() => anybody.close());

  it.each(messages)('FLUSHALL under a living connection is seen by the next %s of an absent register', async (kind, send) => {
    const { acceptor, states } = await ready(ME);
    await acceptor.accept(kind, b(1), 'v', b(2));
    await redis.flushall();
    await expect(send(acceptor, kind)).rejects.toThrow(StrangerError);
    expect(states).toEqual(['ready', 'stranger']);
    expect(await redis.dbsize()).toBe(0);
  });

  it('a stranger stays one until the next connection, whatever it is by then', async () => {
    const { acceptor, states } = await ready(ME);
    await acceptor.accept('present', b(1), 'v', b(2));
    await present('acceptor-1:6379#other');
    expect(await acceptor.read('present')).toMatchObject({ ballot: b(1), value: 'v' });
    await expect(acceptor.read('absent')).rejects.toThrow(/^this is acceptor-1:6379#other, not/);
    await present(ME);
    for (const key of ['present', 'absent'])
      for (const [, send] of messages) await expect(send(acceptor, key)).rejects.toThrow(StrangerError);
    await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await becomes(acceptor, 'ready');
    expect(await acceptor.read('present')).toMatchObject({ ballot: b(1), value: 'v' });
    expect(states).toEqual(['ready', 'stranger', 'unreachable', 'ready']);
  });

  it('one that comes back empty is not used; one that comes back with its data is', async () => {
    const { acceptor, states } = await ready(ME);
    await acceptor.accept('k', b(1), 'v', b(2));
    const copy = await mkdtemp(join(tmpdir(), 'backup-'));
    onTestFinished(() => rm(copy, { recursive: true }));
    await server.kill9();
    await cp(server.directory, copy, { recursive: true });
    await rm(join(server.directory, 'appendonlydir'), { recursive: true });
    await server.start();
    await becomes(acceptor, 'stranger');
    await refusesAll(acceptor);
    expect(await redis.dbsize()).toBe(0);
    await server.kill9();
    await cp(copy, server.directory, { recursive: true });
    await server.start();
    await becomes(acceptor, 'ready');
    expect(await acceptor.read('k')).toMatchObject({ ballot: b(1), value: 'v' });
    expect(states).toEqual(['ready', 'unreachable', 'stranger', 'unreachable', 'ready']);
  });

  it('another one at the address that holds a register of the same key is not used either', async () => {
    const { acceptor } = await ready(ME);
    await acceptor.accept('k', b(1), 'v', b(2));
    await server.kill9();
    const folder = await mkdtemp(join(tmpdir(), 'other-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await server.start(['--dir', folder]);
    onTestFinished(async () => {
      await server.kill9();
      await server.start();
    });
    await redis.mset('identity', 'acceptor-1:6379#other');
    await redis.hset('r:k', 'promise', '1.1.1.1');
    await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await becomes(acceptor, 'unreachable').catch(() => undefined);
    await becomes(acceptor, 'stranger');
    for (const [, send] of messages) await expect(send(acceptor, 'k')).rejects.toThrow(StrangerError);
    expect(await redis.hgetall('r:k')).toEqual({ promise: '1.1.1.1' });
  });

  it('one that stands still before it is known is used when it goes on', async () => {
    await present(ME);
    server.pause();
    const { acceptor, states } = meaning(ME, server.address);
    await sleep(4 * TIMEOUT_MS);
    await expect(acceptor.read('k')).rejects.toThrow(/not connected/);
    server.resume();
    await becomes(acceptor, 'ready');
    server.pause();
    await expect(acceptor.read('still')).rejects.toThrow();
    await becomes(acceptor, 'unreachable');
    await sleep(4 * TIMEOUT_MS);
    server.resume();
    await becomes(acceptor, 'ready');
    expect(states).toEqual(['ready', 'unreachable', 'ready']);
  });

  it('an identity that cannot be read is not the right one', async () => {
    await ready(ME);
    await redis.del('identity');
    await redis.lpush('identity', ME);
    const { acceptor, states } = meaning(ME, server.address);
    await sleep(TIMEOUT_MS);
    for (const [, send] of messages) await expect(send(acceptor, 'k')).rejects.toThrow();
    expect(states).toEqual(['stranger']);
    await redis.del('identity');
  });

  it('a message for a register that is present looks for no identity', async () => {
    const { acceptor } = await ready(ME);
    await acceptor.accept('k', b(1), 'v', b(2));
    const asked = async (): Promise<number> => Number(/cmdstat_get:calls=(\d+)/.exec(await redis.info('commandstats'))?.[1] ?? 0);
    const before = await asked();
    await acceptor.read('k');
    await acceptor.prepare('k', b(5));
    await acceptor.accept('k', b(5), 'w', b(6));
    expect(await asked()).toBe(before);
    await acceptor.read('absent');
    await acceptor.prepare('absent', b(5));
    // A prepare asks for the floor, too: the register may have been one that was collected.
    expect(await asked()).toBe(before + 3);
  });
});
