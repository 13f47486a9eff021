import { UnfitAcceptor } from '../../../src/protocol/errors.js';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { b, becomes, ClusteredAcceptor, HANG_MS, KEYS, ME } from '../clustered-acceptor.js';

const REPLICAS = /has replicas, and a failover to one would lose acknowledged writes/;
const slotOf = (key: string): number => new Command('get', [key]).getSlot();

describe('a slot that moves to another node', () => {
  const cluster = new ClusteredAcceptor(ME);

  it('takes its registers and its identity with it; what is under way is refused, and never taken for absent', async () => {
    const { servers } = cluster;
    const acceptor = await cluster.ready(ME);
    await cluster.fill(acceptor);
    const [key] = KEYS as [string];
    const slot = slotOf(`r:${key}`);
    // Another register in its slot, which nobody wrote: "{…}" is what is hashed.
    const absent = `{r:${key}}`;
    const from = servers.node(await cluster.ownerOf(key));
    const [to] = servers.nodes.filter((node) => node !== from) as [typeof from];
    const [fromId, toId] = [await servers.idOf(from), await servers.idOf(to)];

    await servers.ask(to, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
    await servers.ask(from, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
    expect(await acceptor.read(key)).toMatchObject({ ballot: b(1), value: `of ${key}` });
    await servers.ask(from, 'MIGRATE', '127.0.0.1', to.port, `r:${key}`, 0, 5_000);
    for (const gone of [key, absent]) {
      await expect(acceptor.read(gone)).rejects.toThrow();
      await expect(acceptor.prepare(gone, b(9))).rejects.toThrow();
      await expect(acceptor.accept(gone, b(9), 'w', b(10))).rejects.toThrow();
    }
    const admin = await cluster.admin();
    await expect(drain(admin.keys())).rejects.toThrow('slots of this Redis Cluster are moving');
    const rest = (await servers.ask(from, 'CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[];
    for (const name of rest) await servers.ask(from, 'MIGRATE', '127.0.0.1', to.port, name, 0, 5_000);
    for (const node of [to, from]) await servers.ask(node, 'CLUSTER', 'SETSLOT', slot, 'NODE', toId);

    await expect
      .poll(() => acceptor.read(key).catch(() => undefined), { timeout: HANG_MS })
      .toMatchObject({ ballot: b(1), value: `of ${key}` });
    expect(await acceptor.prepare(absent, b(9))).toMatchObject({ ok: true });
    for (const other of KEYS) expect(await acceptor.read(other)).toMatchObject({ ballot: b(1), value: `of ${other}` });
    const after = await cluster.admin();
    expect([await after.identity(), await after.size()]).toEqual([ME, KEYS.length + 1]);
  });

  it('in the middle of a list of the keys makes the list fail, there and back again, too', async () => {
    const { servers } = cluster;
    await cluster.fill(await cluster.ready(ME));
    const admin = await cluster.admin();
    const pages = admin.keys();
    await pages.next();
    const [from, to] = servers.nodes as [(typeof servers.nodes)[0], (typeof servers.nodes)[0]];
    const owned = KEYS.find((key) => slotOf(`r:${key}`) < 5_000) ?? '';
    const slot = slotOf(`r:${owned}`);
    for (const [here, there] of [
      [from, to],
      [to, from],
    ] as const) {
      const [hereId, thereId] = [await servers.idOf(here), await servers.idOf(there)];
      await servers.ask(there, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', hereId);
      await servers.ask(here, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', thereId);
      for (const name of (await servers.ask(here, 'CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[])
        await servers.ask(here, 'MIGRATE', '127.0.0.1', there.port, name, 0, 5_000);
      for (const node of [there, here]) await servers.ask(node, 'CLUSTER', 'SETSLOT', slot, 'NODE', thereId);
    }
    await expect(drain(pages)).rejects.toThrow('slots of this Redis Cluster are moving');
  });
});

describe('a Redis Cluster with a replica', () => {
  const cluster = new ClusteredAcceptor(ME);

  it('is refused: when it joins, when it is connected to, and for good when a node is gone, though the replica took over', async () => {
    const { servers } = cluster;
    const unaware = await cluster.ready(ME);
    await cluster.fill(unaware);
    const owner = servers.node(await cluster.ownerOf('key 0'));
    const replica = await servers.addNode();
    await servers.settled();
    await servers.ask(replica, 'CLUSTER', 'REPLICATE', await servers.idOf(owner));
    await expect.poll(async () => String(await servers.ask(servers.node(0), 'CLUSTER', 'NODES')), { timeout: HANG_MS }).toContain('slave');
    await expect(cluster.admin()).rejects.toThrow(UnfitAcceptor);
    await expect(cluster.admin()).rejects.toThrow(REPLICAS);
    const { acceptor: late, states } = cluster.open(ME);
    await becomes(late, 'replicated');
    await expect(late.read('key 0')).rejects.toThrow(REPLICAS);
    expect(states).toEqual(['replicated']);

    const role = async (): Promise<string> => String(await servers.ask(replica, 'ROLE'));
    await expect.poll(role, { timeout: HANG_MS }).toContain('connected');
    // It may have seen the replica by now: its nodes are looked at every five seconds.
    expect(['ready', 'unfit']).toContain(unaware.state);
    await owner.kill9();
    await becomes(unaware, 'replicated');
    await expect.poll(role, { timeout: HANG_MS }).toContain('master');
    await sleep(1_000);
    await expect(unaware.read('key 0')).rejects.toThrow(REPLICAS);
  });
});

async function drain(pages: AsyncGenerator<string[]>): Promise<void> {
  for await (const page of pages) expect(page).toBeDefined();
}
