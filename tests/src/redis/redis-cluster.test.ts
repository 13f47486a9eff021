import { StrangerError } from '../../../src/protocol/errors.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisClusterAcceptor } from '../../../src/redis/redis-cluster.js';
import { describeAcceptor } from '../acceptor-conformance.js';
import { b, becomes, ClusteredAcceptor, HANG_MS, KEYS, ME } from '../clustered-acceptor.js';
import { describeAdmin } from './admin-conformance.js';
import { describeIdentity } from '../identity-conformance.js';

/** "" for one that has forgotten: the key stays for the next test. */
const GIVE = `for _, key in ipairs(redis.call('KEYS', 'identity:*')) do redis.call('SET', key, ARGV[1]) end`;

describe('a Redis Cluster of three', () => {
  const cluster = new ClusteredAcceptor(ME);
  let lasting: RedisClusterAcceptor;
  beforeAll(async () => {
    lasting = new RedisClusterAcceptor({ address: cluster.servers.address, timeoutMs: HANG_MS });
    await becomes(lasting, 'ready');
  });
  afterAll(() => lasting.close());
  const give = async (identity = ''): Promise<void> => {
    for (const node of cluster.servers.nodes) await cluster.servers.ask(node, 'EVAL', GIVE, 0, identity);
  };

  describeAcceptor('the Redis Cluster acceptor', () => lasting);
  describeIdentity(
    'the Redis Cluster acceptor',
    () => lasting,
    async ({ meant, present }) => {
      await give(meant);
      const acceptor = await cluster.ready(meant);
      await give(present);
      return acceptor;
    },
  );

  it('serves keys with an empty hash tag and a later brace, whose slot ioredis takes for another one', async () => {
    await give(ME);
    const acceptor = await cluster.ready(ME);
    for (const key of ['foo{}{bar}', 'a{}b}', '{}}']) expect(await acceptor.prepare(key, b(1))).toMatchObject({ ok: true });
  });

  it('reads the registers of different slots, also of one node, in one turn', async () => {
    await cluster.fill(lasting);
    const reads = await Promise.all(KEYS.map((key) => lasting.read(key)));
    expect(reads.map(({ value }) => value)).toEqual(KEYS.map((key) => `of ${key}`));
  });

  it('keeps its registers on all of its nodes', async () => {
    await cluster.fill(lasting);
    const owners = await Promise.all(KEYS.map((key) => cluster.ownerOf(key)));
    expect(new Set(owners).size).toBe(3);
  });
});

describe('the view of a Redis Cluster as a whole', () => {
  const cluster = new ClusteredAcceptor();

  describeAdmin(
    'a Redis Cluster',
    () => cluster.admin(),
    () => cluster.ready(),
  );

  it('is that of all of its nodes: keys, size, era, identity, wipe', async () => {
    const first = await cluster.admin();
    expect([await first.identity(), await first.size(), await first.highestEra()]).toEqual([undefined, 0, 0]);
    const one = await first.adopt(ME);
    const admin = await cluster.admin();
    expect([one, await admin.identity(), await admin.adopt('acceptor-1:6379#late')]).toEqual([ME, ME, ME]);

    const acceptor = await cluster.ready(one);
    await cluster.fill(acceptor);
    await acceptor.prepare('later', b(1, 7));
    expect([await admin.size(), await admin.highestEra()]).toEqual([KEYS.length + 1, 7]);
    const listed: string[] = [];
    for await (const page of admin.keys()) listed.push(...page);
    expect(listed.sort()).toEqual([...KEYS, 'later'].sort());

    await expect(admin.wipe({ identity: 'acceptor-1:6379#late' })).rejects.toThrow('under a new identity');
    await expect(admin.wipe({ identity: undefined })).rejects.toThrow('under a new identity');
    expect(await admin.size()).toBe(KEYS.length + 1);
    const last = await cluster.admin();
    expect(await last.wipe({ identity: one })).toBe(KEYS.length + 1);
    expect([await last.identity(), await last.size()]).toEqual([undefined, 0]);
  });
});

describe('a node of a Redis Cluster that lost its data', () => {
  const cluster = new ClusteredAcceptor(ME);

  it('makes the whole acceptor one that is not used; wiped, it may join again', async () => {
    const acceptor = await cluster.ready(ME);
    await cluster.fill(acceptor);
    const lost = await cluster.ownerOf('key 0');
    await cluster.servers.ask(cluster.servers.node(lost), 'FLUSHALL');
    await expect(acceptor.read('key 0')).rejects.toThrow(StrangerError);
    for (const key of KEYS) await expect(acceptor.read(key)).rejects.toThrow(StrangerError);

    const { acceptor: next } = cluster.open(ME);
    await becomes(next, 'stranger');
    await expect(next.prepare('key 1', b(9))).rejects.toThrow(StrangerError);

    const admin = await cluster.admin();
    const identity = await admin.identity();
    expect(identity).toBe(`|${ME}`);
    await expect(admin.adopt('acceptor-1:6379#new')).rejects.toThrow('wipe it first');
    await admin.wipe({ identity });
    const after = await cluster.admin();
    expect(await after.adopt('acceptor-1:6379#new')).toBe('acceptor-1:6379#new');
    expect(await (await cluster.ready('acceptor-1:6379#new')).read('key 0')).toMatchObject({ value: null });
  });
});

describe('a node of a Redis Cluster that is gone', () => {
  const cluster = new ClusteredAcceptor(ME);

  it('takes only its own registers away, and brings them back', async () => {
    const { acceptor, states } = cluster.open(ME);
    await becomes(acceptor, 'ready');
    await cluster.fill(acceptor);
    const gone = await cluster.ownerOf('key 0');
    for (const node of cluster.servers.nodes) await cluster.servers.ask(node, 'CONFIG', 'SET', 'cluster-require-full-coverage', 'no');
    await cluster.servers.node(gone).kill9();
    await becomes(acceptor, 'unreachable');
    await expect(acceptor.accept('key 0', b(5), 'w', b(6))).rejects.toThrow();
    const stays = await Promise.all(
      KEYS.map((key) =>
        acceptor.read(key).then(
          () => 1,
          () => 0,
        ),
      ),
    );
    expect(stays.reduce<number>((sum, one) => sum + one, 0)).toBeGreaterThan(KEYS.length / 3);
    await cluster.servers.restart(gone);
    await cluster.servers.settled();
    await becomes(acceptor, 'ready');
    for (const key of KEYS) expect(await acceptor.read(key)).toMatchObject({ ballot: b(1), value: `of ${key}` });
    expect(states).toEqual(['ready', 'unreachable', 'ready']);
  });

  it('is not replaced by one without its registers, though that be given its slots', async () => {
    const acceptor = await cluster.ready(ME);
    const gone = await cluster.ownerOf('key 0');
    const { servers } = cluster;
    const slots = slotRanges(String(await servers.ask(servers.node(gone), 'CLUSTER', 'NODES')));
    const [heir] = servers.nodes.filter((_, index) => index !== gone);
    if (!heir) throw new Error('there is no other node');
    const id = await servers.idOf(servers.node(gone));
    await servers.node(gone).kill9();
    for (const node of servers.nodes) if (node.pid !== undefined) await servers.ask(node, 'CLUSTER', 'FORGET', id);
    await servers.ask(heir, 'CLUSTER', 'ADDSLOTSRANGE', ...slots);
    // The first one finds the way there.
    await expect
      .poll(
        () =>
          acceptor.read('key 0').then(
            () => 'answers',
            (error: unknown) => (error instanceof StrangerError ? 'refuses' : 'fails'),
          ),
        {
          timeout: HANG_MS,
        },
      )
      .toBe('refuses');
    await becomes(acceptor, 'stranger');
    expect(await (await cluster.admin()).identity()).toBe(`|${ME}`);
  });
});

function slotRanges(nodes: string): number[] {
  const own = nodes.split('\n').find((line) => line.includes('myself')) ?? '';
  return own
    .split(' ')
    .slice(8)
    .flatMap((range) => range.split('-').map(Number));
}
