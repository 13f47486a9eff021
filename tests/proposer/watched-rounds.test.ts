import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Holdings, tell, type TwinMoment } from '../../node-control/page/server/twin-telling.js';
import type { WatchedKey } from '../../src/http/watched-key.js';
import { RedisAdmin } from '../../src/redis/redis-admin.js';
import { acceptorName, Cluster, UNHURRIED } from '../cluster.js';
import { send } from '../raw-http.js';

const NAMES = [1, 2, 3].map(acceptorName);

describe('what is told of a key that is watched', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await Cluster.start({ env: UNHURRIED });
  });
  afterAll(() => cluster.stop());

  const watch = async (key: string): Promise<void> => {
    for (const { admin } of cluster.proposers) expect(await admin.watch(key)).toMatchObject({ ok: true, body: { key, rounds: [] } });
  };
  const watched = async (): Promise<WatchedKey[]> => {
    const answers = await Promise.all(cluster.proposers.map(({ admin }) => admin.watched()));
    return answers.flatMap((answer) => (answer.ok ? (answer.body ?? []) : []));
  };
  /** Once every message is answered. */
  const story = async (): Promise<TwinMoment[]> => {
    await expect
      .poll(async () => (await watched()).flatMap(({ rounds }) => rounds.flatMap(({ messages }) => messages.map(({ outcome }) => outcome))))
      .not.toContain(undefined);
    return tell(await watched(), NAMES);
  };
  const heldBy = async (number: number, key: string): Promise<{ promise: string; ballot: string }> => {
    const admin = new RedisAdmin(cluster.acceptor(number).address, 2_000);
    try {
      await admin.connect();
      const { promise, ballot } = await admin.register(key);
      return { promise: promise ?? '', ballot: ballot ?? '' };
    } finally {
      admin.close();
    }
  };
  const expectTrue = async (moments: readonly TwinMoment[], key: string): Promise<void> => {
    for (const number of [1, 2, 3]) {
      const told = moments.findLast(({ from, holds }) => from === `a${number}` && holds)?.holds;
      const { promise, ballot }: Partial<Holdings> = told ?? {};
      expect([number, { promise, ballot }]).toEqual([number, await heldBy(number, key)]);
    }
  };
  const labels = (moments: readonly TwinMoment[]): string[] => moments.map(({ label }) => label).toSorted();

  it('is, of one write, what the acceptors were asked and hold', async () => {
    await watch('one');
    expect(await cluster.proposer(1).kv.put('one', 0, 'green')).toMatchObject({ ok: true });
    const moments = await story();
    const [prepares, promises] = ['prepare', 'promised'].map((wanted) => labels(moments).filter((label) => label === wanted));
    // A prepare asks two; the third as well only if one of them is late, as on a machine that stalls.
    expect([2, 3]).toContain(prepares?.length);
    expect(promises).toHaveLength(prepares?.length ?? 0);
    const others = labels(moments).filter((label) => label.startsWith('accept'));
    expect(others).toEqual(['accept', 'accepted'].flatMap((label) => [label, label, label]));
    expect(moments.flatMap(({ decision }) => decision ?? [])).toEqual([
      expect.stringMatching(/^1\.1\.1: acceptor-\d and acceptor-\d are a prepare quorum, 2 of 3\. The latest that they hold: nothing$/),
      expect.stringMatching(/^1\.1\.1: chosen, "green", version 1: acceptor-\d and acceptor-\d are an accept quorum, 2 of 3$/),
    ]);
    expect(moments.filter(({ isLate }) => isLate)).toHaveLength((prepares?.length ?? 0) - 1);
    await expectTrue(moments, 'one');
  });

  it('is, where another proposer came between, what stood in the way, and the next round', async () => {
    await watch('two');
    const { kv } = cluster.proposer(1);
    expect(await kv.put('two', 0, 1)).toMatchObject({ ok: true });
    expect(await cluster.proposer(2).kv.post('two', { add: 10 })).toMatchObject({ ok: true });
    // By the promise that came with the first write.
    expect(await kv.post('two', { add: 100 })).toMatchObject({ ok: true });
    const moments = await story();
    const lost = moments.filter(({ decision }) => decision?.includes('stands in the way'));
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.map(({ label }) => label)).toContain('refused');
    const chosen = moments.flatMap(({ decision }) => /chosen, (.*?):/.exec(decision ?? '')?.[1] ?? []);
    expect(chosen).toEqual(['1, version 1', '11, version 2', '111, version 3']);
    await expectTrue(moments, 'two');
  });

  it('is, of an acceptor that was late, its silence, and then that it was late', async () => {
    await watch('three');
    cluster.acceptor(3).pause();
    try {
      expect(await cluster.proposer(1).kv.put('three', 0, 'v')).toMatchObject({ ok: true });
      const before = tell(await watched(), NAMES);
      // A prepare asks it if its turn is among the first two; an accept does in any case.
      expect(labels(before.filter(({ to }) => to === 'a3'))).toEqual(expect.arrayContaining(['accept']));
      expect(before.filter(({ from }) => from === 'a3')).toEqual([]);
    } finally {
      cluster.acceptor(3).resume();
    }
    const moments = await story();
    const answers = moments.filter(({ from }) => from === 'a3');
    expect(answers.at(-1)).toMatchObject({ label: 'accepted', isLate: true });
    expect(answers.filter(({ isLate }) => !isLate)).toEqual([]);
    await expectTrue(moments, 'three');
  });

  it('ends when it is told so', async () => {
    await watch('four');
    for (const { admin } of cluster.proposers) expect(await admin.unwatch()).toMatchObject({ ok: true, body: null });
    await cluster.proposer(1).kv.put('four', 0, 'v');
    expect(await cluster.proposer(1).admin.watched()).toMatchObject({ ok: true, body: null });
  });

  it('is asked for by a key of its size, in three ways only', async () => {
    const { adminAddress } = cluster.proposer(1);
    expect(await send(adminAddress, { method: 'PUT', path: `/watch/${'x'.repeat(513)}` })).toMatchObject({ status: 400 });
    expect(await send(adminAddress, { method: 'POST', path: '/watch' })).toMatchObject({ status: 405, headers: { allow: 'GET, DELETE' } });
    expect(await send(adminAddress, { path: '/watch/k' })).toMatchObject({ status: 405, headers: { allow: 'PUT' } });
  });
});
