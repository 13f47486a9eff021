import { describe, expect, it } from 'vitest';
import { memoryState } from '../../../src/store/memory.js';
import { createStore, type Store } from '../../../src/store/store.js';
import type { StoreLimits } from '../../../src/store/limits.js';
import { only, ScriptedCluster } from '../../scripted-cluster.js';

const LATE_MS = 20;
const TIMEOUT_MS = 300;

/** A store over three scripted acceptors. */
async function threeAcceptors(limits: Partial<StoreLimits> = {}): Promise<{ cluster: ScriptedCluster; store: Store }> {
  const cluster = new ScriptedCluster(3);
  const store = createStore({
    id: 1,
    state: memoryState(),
    acceptors: { get: (name) => cluster.acceptor(name).link },
    time: cluster.time,
    random: () => 0,
    limits: { acceptorTimeoutMs: TIMEOUT_MS, acceptorLateMs: LATE_MS, ...limits },
  });
  await cluster.time.run(store.reconfigure(cluster.configuration()));
  return { cluster, store };
}

const counts = (cluster: ScriptedCluster): [number, number] => [cluster.messages('prepare').length, cluster.messages('accept').length];

describe('whom a write asks', () => {
  it('is a quorum for the promise, and all for the accept: the third copy is not given up', async () => {
    const { cluster, store } = await threeAcceptors();
    await cluster.time.run(store.cas('a', 0, 1));
    await cluster.time.settle();
    expect(counts(cluster)).toEqual([2, 3]);
  });

  it('is all of them for either, if nobody is ever late', async () => {
    const { cluster, store } = await threeAcceptors({ acceptorLateMs: undefined });
    await cluster.time.run(store.cas('a', 0, 1));
    await cluster.time.settle();
    expect(counts(cluster)).toEqual([3, 3]);
  });

  it('waits for a stopped acceptor once, and not with each key', async () => {
    const { cluster, store } = await threeAcceptors();
    cluster.fates({ a1: 'lose' });
    for (let key = 0; key < 9; key += 1) await cluster.time.run(store.cas(`key ${key}`, 0, key));
    expect(cluster.time.nowMs()).toBe(LATE_MS);
  });

  it('waits for no acceptor that fails at once', async () => {
    const { cluster, store } = await threeAcceptors();
    cluster.fates({ a1: 'refuse' });
    for (let key = 0; key < 9; key += 1) await cluster.time.run(store.cas(`key ${key}`, 0, key));
    expect(cluster.time.nowMs()).toBe(0);
  });

  it.each(['a1', 'a2'])('goes on to the third where %s has promised more, in the same round and without a wait', async (name) => {
    const { cluster, store } = await threeAcceptors();
    await cluster.acceptor(name).memory.prepare('a', { era: 1, counter: 90, proposer: 9, incarnation: 1 });
    await cluster.time.run(store.cas('a', 0, 1));
    expect(cluster.time.nowMs()).toBe(0);
    const asked = cluster.messages('prepare');
    expect(asked).toHaveLength(3);
    expect(new Set(asked.map(({ ballot }) => ballot.counter)).size).toBe(1);
  });

  it('waits for a slow acceptor whose promise is needed, as long as for any', async () => {
    const { cluster, store } = await threeAcceptors();
    const set = { nodes: cluster.names, quorum: 3 };
    await cluster.time.run(store.reconfigure({ ...cluster.configuration({ prepare: set }), era: 2 }));
    cluster.fates({ a1: only('prepare', 'hold') });
    const write = store.cas('a', 0, 1);
    await cluster.time.advance(LATE_MS * 2);
    cluster.acceptor('a1').release();
    await cluster.time.run(write);
    expect(new Set(cluster.messages('prepare').map(({ ballot }) => ballot.counter)).size).toBe(1);
  });
});
