import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { acceptorName, Cluster } from '../cluster.js';
import type { RedisServer } from '../redis-server.js';

async function configure({ port }: RedisServer, setting: string, value: string): Promise<void> {
  const redis = new Redis({ host: '127.0.0.1', port });
  await redis.config('SET', setting, value);
  redis.disconnect();
}

const fill = (acceptors: readonly RedisServer[]): Promise<unknown> =>
  Promise.all(acceptors.map((acceptor) => configure(acceptor, 'maxmemory', '1')));
const make = (acceptors: readonly RedisServer[]): Promise<unknown> =>
  Promise.all(acceptors.map((acceptor) => configure(acceptor, 'maxmemory', '0')));

describe('a write whose accept is sent to acceptors with a full memory', () => {
  it('is certainly not applied, names the reason, and goes through once there is room', async () => {
    const cluster = await Cluster.forThisTest({ proposers: 1 });
    const { kv, impatient } = cluster.proposer(1);
    const first = acceptorName(1);
    // Its promise came with the write before: nothing but the accept is sent.
    expect(await kv.put('k', 0, 'old')).toMatchObject({ ok: true });
    await fill(cluster.acceptors);
    expect(await impatient.put('k', 1, 'new')).toMatchObject({
      status: 503,
      code: 'PrepareError',
      message: expect.stringMatching(new RegExp(`^0 of 3 acceptors accepted.*; ${first}.*: OOM, its memory is full$`)) as string,
    });
    expect(await kv.put('k', 1, 'new')).toMatchObject({ status: 503, code: 'PrepareError' });
    expect(await kv.get('k')).toMatchObject({ body: { ver: 1, val: 'old' } });
    await make(cluster.acceptors);
    expect(await kv.put('k', 1, 'newer')).toMatchObject({ body: { ver: 2, val: 'newer' } });
  });

  it('is certainly not applied where the other acceptor is dead, and was sent nothing', async () => {
    const cluster = await Cluster.forThisTest({ proposers: 1 });
    const { kv, impatient } = cluster.proposer(1);
    expect(await kv.put('k', 0, 'old')).toMatchObject({ ok: true });
    await cluster.acceptor(3).kill9();
    await expect.poll(() => cluster.proposer(1).logged('acceptor went away')).toHaveLength(1);
    await fill(cluster.acceptors.slice(0, 2));
    expect(await impatient.put('k', 1, 'new')).toMatchObject({ status: 503, code: 'PrepareError' });
  });

  it('is unknown where the other acceptor stands still: it may run the accept later, and does', async () => {
    const cluster = await Cluster.forThisTest({ proposers: 1 });
    const { kv } = cluster.proposer(1);
    expect(await kv.put('k', 0, 'old')).toMatchObject({ ok: true });
    await fill(cluster.acceptors.slice(0, 2));
    cluster.acceptor(3).pause();
    const answer = await kv.put('k', 1, 'new');
    cluster.acceptor(3).resume();
    expect(answer).toMatchObject({ status: 504, code: 'CommitError' });
    await make(cluster.acceptors);
    // A round that meets the third acceptor completes what it took.
    await cluster.acceptor(1).kill9();
    await expect.poll(() => kv.get('k')).toMatchObject({ body: { ver: 2, val: 'new' } });
  });
});
