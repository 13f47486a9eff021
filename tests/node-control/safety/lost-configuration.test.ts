import { describe, expect, it } from 'vitest';
import { acceptorName, Cluster } from '../../cluster.js';

describe('a proposer that lost its configuration', () => {
  it('is not led back acceptor by acceptor, which would lose a write that rests on the others, but by copy', async () => {
    const cluster = await Cluster.forThisTest({ acceptors: 3 });
    const value = async (): Promise<unknown> => (await cluster.proposer(2).kv.get('x')).body;
    await cluster.proposer(1).kv.put('x', 0, 'one');
    cluster.acceptor(1).pause();
    expect((await cluster.proposer(2).kv.put('x', 1, 'two')).status).toBe(200);
    expect((await cluster.control('wipe', 'proposer-1')).code).toBe(0);
    cluster.acceptor(1).resume();
    for (const number of [1, 2, 3]) expect((await cluster.control('add-accept', 'proposer-1', acceptorName(number), '1')).code).toBe(0);

    const { code, stderr } = await cluster.control('add-prepare', 'proposer-1', acceptorName(1), '1');
    expect(code).toBe(1);
    expect(stderr).toMatch(/proposer-1 would prepare on 1 of .* while proposer-\d accepts on .*could miss each other/);
    expect(await value()).toMatchObject({ ver: 2, val: 'two' });

    expect((await cluster.control('copy', 'proposer-2', 'proposer-1')).stdout).toMatch(/^proposer-1: now with the sets of proposer-2/);
    expect((await cluster.control('copy', 'proposer-2', 'proposer-1')).stdout).toMatch(/^proposer-1: already with the sets of proposer-2/);
    expect(await cluster.proposer(1).admin.configuration()).toEqual(await cluster.proposer(2).admin.configuration());
    expect((await cluster.proposer(1).kv.get('x')).body).toMatchObject({ ver: 2, val: 'two' });
    expect((await cluster.control('copy', 'all', 'proposer-1')).code).toBe(1);
  });

  it('of all proposers, may be configured anew from what their acceptor holds, and finds it', async () => {
    const cluster = await Cluster.forThisTest({ acceptors: 1 });
    await cluster.proposer(1).kv.put('x', 0, 'kept');
    expect((await cluster.control('wipe', 'all')).code).toBe(0);
    expect((await cluster.control('add-accept', 'all', acceptorName(1), '1')).code).toBe(0);
    expect((await cluster.control('add-prepare', 'all', acceptorName(1), '1')).code).toBe(0);
    expect((await cluster.proposer(2).kv.get('x')).body).toMatchObject({ ver: 1, val: 'kept' });
  });
});
