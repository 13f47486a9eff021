import { describe, expect, it, onTestFinished } from 'vitest';
import { RedisAcceptor } from '../../src/redis/redis-acceptor.js';
import { ANSWER_WITHIN_MS, Cluster } from '../cluster.js';
import { counterOf, increment, newTally } from '../increments.js';
import { send } from '../raw-http.js';
import { sharedCluster } from '../shared-cluster.js';

/** Increments one counter 50 times at once, each until it is acknowledged. */
async function fiftyIncrements(cluster: Cluster, proposers: number): Promise<ReturnType<typeof newTally>> {
  const tally = newTally();
  await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      const { kv } = cluster.proposer(1 + (index % proposers));
      while (!(await increment(kv, 'counter', tally)));
    }),
  );
  return tally;
}

describe('50 increments of one key at once', () => {
  it('through one proposer queue up: no answer but values and 409, and the sum is right', async () => {
    const cluster = await sharedCluster();
    const tally = await fiftyIncrements(cluster, 1);
    const codes = ['200', '201', 'KeyNotFound', 'VersionMismatch'];
    expect([...tally.codes.keys()].filter((code) => !codes.includes(code))).toEqual([]);
    expect(await counterOf(cluster.proposer(1).kv, 'counter')).toBe(50);
  });

  it('through two proposers are retried there: the sum is what was acknowledged', async () => {
    const cluster = await sharedCluster();
    const tally = await fiftyIncrements(cluster, 2);
    const codes = ['200', '201', 'KeyNotFound', 'VersionMismatch', 'PrepareError', 'ConcurrentRequestError', 'CommitError'];
    expect([...tally.codes.keys()].filter((code) => !codes.includes(code))).toEqual([]);
    const sum = await counterOf(cluster.proposer(2).kv, 'counter');
    expect(sum).toBeGreaterThanOrEqual(50);
    expect(sum).toBeLessThanOrEqual(50 + tally.unknown);
    expect(tally.slowestMs).toBeLessThan(ANSWER_WITHIN_MS);
  });
});

describe('writes of one key that wait for an acceptor', () => {
  it('are done in the order of their arrival', async () => {
    // On a machine that is late the acceptor is paused for longer than it is waited for by default.
    const cluster = await Cluster.forThisTest({ acceptors: 1, proposers: 1, env: { ACCEPTOR_TIMEOUT_MS: '2000' } });
    const { kv } = cluster.proposer(1);
    await kv.put('a', 0, 0);
    cluster.acceptor(1).pause();
    const writes = [];
    for (let ver = 1; ver <= 8; ver += 1) {
      writes.push(kv.put('a', ver, ver));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    cluster.acceptor(1).resume();
    expect((await Promise.all(writes)).map(({ status }) => status)).toEqual(Array(8).fill(200));
  });
});

describe('Prefer: wait=0', () => {
  const putAtOnce = async (cluster: Cluster, prefer: string | undefined, key = 'a'): Promise<Map<string, number>> => {
    const { address } = cluster.proposer(1);
    const headers = prefer === undefined ? {} : { prefer };
    const writes = Array.from({ length: 50 }, () =>
      send(address, { method: 'PUT', path: `/kv/${key}`, body: { ver: 0, val: 1 }, headers }),
    );
    const codes = new Map<string, number>();
    for (const { status, body, headers: answered } of await Promise.all(writes)) {
      const code = typeof body?.['code'] === 'string' ? body['code'] : String(status);
      codes.set(code, (codes.get(code) ?? 0) + 1);
      if (status === 503) expect(answered['retry-after']).toBe('1');
    }
    return codes;
  };

  it.each(['wait=0', 'respond-async, wait=0', 'WAIT = "0"'])('(%s) refuses what collides with ConcurrentRequestError', async (prefer) => {
    const cluster = await sharedCluster({ acceptors: 1, proposers: 1 });
    let codes = new Map<string, number>();
    // On a machine that is late they may come one after the other, and the one attempt of the first may find the acceptor late.
    for (let burst = 1; burst <= 20 && !(codes.has('201') && codes.has('ConcurrentRequestError')); burst += 1)
      codes = await putAtOnce(cluster, prefer, `a${burst}`);
    expect(codes.get('201')).toBe(1);
    expect(codes.get('ConcurrentRequestError')).toBeGreaterThan(0);
  });

  it.each([undefined, 'wait=10', 'nowait=0', 'wait=00.5'])('is not what %s says: that queues', async (prefer) => {
    const cluster = await sharedCluster({ acceptors: 1, proposers: 1 });
    expect(await putAtOnce(cluster, prefer)).toEqual(new Map([['201', 1], ['VersionMismatch', 49]])); // prettier-ignore
  });

  it('is answered at once, where a patient request waits for its turn', async () => {
    const cluster = await sharedCluster({ acceptors: 1, proposers: 1 });
    const { kv, impatient } = cluster.proposer(1);
    await kv.put('a', 0, 0);
    cluster.acceptor(1).pause();
    let isInTheWay = true;
    const inTheWay = kv.put('a', 1, 1).finally(() => (isInTheWay = false));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await impatient.put('a', 1, 2)).toMatchObject({ ok: false, status: 503, code: 'ConcurrentRequestError' });
    expect(isInTheWay).toBe(true);
    const patient = kv.put('a', 1, 3);
    cluster.acceptor(1).resume();
    expect(await inTheWay).toMatchObject({ ok: true });
    expect(await patient).toMatchObject({ ok: false, code: 'VersionMismatch' });
  });

  it('reads by a round of its own, where a patient read changes nothing on the acceptors', async () => {
    const cluster = await sharedCluster({ acceptors: 1, proposers: 1 });
    const { kv, impatient } = cluster.proposer(1);
    const acceptor = new RedisAcceptor({ address: cluster.acceptor(1).address, timeoutMs: 2_000 });
    onTestFinished(() => acceptor.close());
    await expect.poll(() => acceptor.state, { timeout: 5_000 }).toBe('ready');
    await kv.put('a', 0, 1);
    const { ballot } = await acceptor.read('a');
    expect(await kv.get('a')).toMatchObject({ ok: true, body: { ver: 1, val: 1 } });
    expect((await acceptor.read('a')).ballot).toEqual(ballot);
    expect(await impatient.get('a')).toMatchObject({ ok: true, body: { ver: 1, val: 1 } });
    expect((await acceptor.read('a')).ballot.counter).toBeGreaterThan(ballot.counter);
  });

  it('does not retry: without a quorum it is answered after one attempt', async () => {
    const cluster = await sharedCluster({ acceptors: 1, proposers: 1 });
    const { kv, impatient } = cluster.proposer(1);
    await cluster.acceptor(1).kill9();
    await expect.poll(() => cluster.proposer(1).logged('went away'), { timeout: 5_000 }).toHaveLength(1);
    const durationOf = async (request: () => Promise<unknown>): Promise<number> => {
      const startedAt = performance.now();
      expect(await request()).toMatchObject({ ok: false, status: 503, code: 'PrepareError' });
      return performance.now() - startedAt;
    };
    expect(await durationOf(() => kv.put('b', 0, 1))).toBeGreaterThan(800);
    expect(await durationOf(() => impatient.put('b', 0, 1))).toBeLessThan(500);
    expect(await durationOf(() => impatient.get('b'))).toBeLessThan(500);
  });
});
