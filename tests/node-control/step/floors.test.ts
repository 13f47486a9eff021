import { describe, expect, it } from 'vitest';
import { type Connections, overNetwork } from '../../../node-control/nodes/connections.js';
import { readAddresses } from '../../../src/node/addresses.js';
import type { AcceptorAdmin } from '../../../src/redis/acceptor-admin.js';
import { acceptorName, type Cluster, configurationOf } from '../../cluster.js';
import { sharedCluster } from '../../shared-cluster.js';

const [A, B, C] = [1, 2, 3].map(acceptorName) as [string, string, string];

async function at<Result>(cluster: Cluster, name: string, act: (admin: AcceptorAdmin) => Promise<Result>): Promise<Result> {
  const network: Connections = overNetwork(readAddresses(cluster.addressMap));
  const admin = network.acceptor(name);
  await admin.connect();
  try {
    return await act(admin);
  } finally {
    admin.close();
  }
}

/** As a collection leaves it: the floor is of an era that all proposers have. */
const collected = async (cluster: Cluster, names: readonly string[], version: number): Promise<void> => {
  const { era } = await configurationOf(cluster.proposer(1));
  for (const name of names) await at(cluster, name, (admin) => admin.raiseFloor({ era, version }));
};
const versionOf = async (cluster: Cluster, name: string): Promise<number> => (await at(cluster, name, (admin) => admin.floor())).version;

describe('an acceptor that joins after a collection', () => {
  it('has the highest floor of the others before any proposer lists it', async () => {
    const cluster = await sharedCluster({ configured: 0 });
    expect((await cluster.control('resize', `${A},${B}`)).code).toBe(0);
    expect(await versionOf(cluster, B)).toBe(0);
    await collected(cluster, [A], 7);
    await collected(cluster, [B], 9);
    expect((await cluster.control('add-accept', 'all', C, '2')).code).toBe(0);
    expect([await versionOf(cluster, A), await versionOf(cluster, C)]).toEqual([7, 9]);
    expect(await cluster.proposer(1).kv.put('k', 0, 'v')).toMatchObject({ ok: true });
  });

  it('is refused while nobody answers who could tell, and its step is done by the same command later', async () => {
    const cluster = await sharedCluster({ configured: 0 });
    expect((await cluster.control('resize', A)).code).toBe(0);
    await collected(cluster, [A], 7);
    cluster.acceptor(1).pause();
    const command = ['add-accept', 'all', B, '2'];
    expect(await cluster.control(...command)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no acceptor of the cluster answers') as unknown,
    });
    cluster.acceptor(1).resume();
    expect(await cluster.control(...command)).toMatchObject({ code: 0 });
    expect(await versionOf(cluster, B)).toBe(7);
  });

  it('is told by acceptors that no proposer lists any more, if all proposers were wiped', async () => {
    const cluster = await sharedCluster({ configured: 0 });
    expect((await cluster.control('resize', `${A},${B}`)).code).toBe(0);
    await collected(cluster, [A, B], 7);
    expect((await cluster.control('wipe', 'all')).code).toBe(0);
    expect((await cluster.control('add-accept', 'all', C, '1')).code).toBe(0);
    expect(await versionOf(cluster, C)).toBe(7);
  });

  it('may not bring data from before it, which the members have removed as deleted', async () => {
    const cluster = await sharedCluster({ configured: 0 });
    expect((await cluster.control('resize', `${A},${B},${C}`)).code).toBe(0);
    expect(await cluster.proposer(1).kv.put('k', 0, 'old')).toMatchObject({ ok: true });
    expect((await cluster.control('resize', `${A},${B}`)).code).toBe(0);
    expect((await cluster.control('rescan', `${A},${B}`, '2')).code).toBe(0);
    await collected(cluster, [A, B], 7);
    expect((await cluster.control('wipe', 'all')).code).toBe(0);
    const refused = await cluster.control('add-accept', 'all', C, '1');
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('from before a collection that it had no part in') as unknown,
    });
    expect(refused.stderr).toContain(`./run-control.sh wipe-acceptor ${C}`);
    expect((await cluster.control('add-accept', 'all', A, '1')).code).toBe(0);
  });
});
