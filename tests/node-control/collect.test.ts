import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import { collect } from '../../node-control/commands/collect.js';
import { carryOut } from '../../node-control/commands/carry-out.js';
import { UNSEEN } from '../../node-control/terminal/terminal.js';
import { type Connections, overNetwork } from '../../node-control/nodes/connections.js';
import { Nodes } from '../../node-control/nodes/nodes.js';
import { readAddresses } from '../../src/node/addresses.js';
import type { AcceptorAdmin } from '../../src/redis/acceptor-admin.js';
import { acceptorName, Cluster, configurationOf } from '../cluster.js';
import { sharedCluster } from '../shared-cluster.js';
import { Mortal } from './mortal-connections.js';

const NAMES = [1, 2, 3].map(acceptorName);
const [A, B, C] = NAMES as [string, string, string];

async function grown(acceptors: readonly string[] = NAMES, start = sharedCluster): Promise<Cluster> {
  const cluster = await start({ configured: 0 });
  expect((await cluster.control('resize', acceptors.join(','))).code).toBe(0);
  return cluster;
}

const networkOf = (cluster: Cluster): Connections => overNetwork(readAddresses(cluster.addressMap));

async function at<Result>(cluster: Cluster, name: string, act: (admin: AcceptorAdmin) => Promise<Result>): Promise<Result> {
  const admin = networkOf(cluster).acceptor(name);
  await admin.connect();
  try {
    return await act(admin);
  } finally {
    admin.close();
  }
}

const sizes = (cluster: Cluster, names: readonly string[] = NAMES): Promise<number[]> =>
  Promise.all(names.map((name) => at(cluster, name, (admin) => admin.size())));

async function bury(cluster: Cluster, keys: readonly string[]): Promise<void> {
  const { kv } = cluster.proposer(1);
  for (const key of keys) {
    expect(await kv.put(key, 0, 'v')).toMatchObject({ ok: true });
    expect(await kv.delete(key)).toMatchObject({ ok: true });
  }
}

/** Until every proposer is connected to so many acceptors again: a round that ends before brings nothing to them. */
async function reconnected(cluster: Cluster, count: number): Promise<void> {
  for (const proposer of cluster.proposers) {
    await expect.poll(() => proposer.logged('acceptor came back'), { timeout: 20_000 }).toHaveLength(count);
  }
}

it('a key that was deleted leaves nothing behind, and goes on above every version that anybody was told of', async () => {
  const cluster = await grown();
  const { kv } = cluster.proposer(1);
  expect(await cluster.control('collect')).toEqual({ code: 0, stdout: 'nothing was removed\n', stderr: '' });
  const { era } = await configurationOf(cluster.proposer(1));
  expect(await kv.put('kept', 0, 'v')).toMatchObject({ ok: true });
  await bury(cluster, ['a', 'b']);
  for (const ver of [0, 3, 4]) expect(await kv.put('b', ver, ver)).toMatchObject({ ok: true });
  expect(await kv.delete('b')).toMatchObject({ ok: true });
  expect(await kv.get('never written')).toMatchObject({ ok: false, status: 404 });

  expect(await cluster.control('collect', '--dry-run')).toEqual({
    code: 0,
    stdout: '2 registers of deleted keys would be removed\n',
    stderr: '',
  });
  expect(await sizes(cluster)).toEqual([3, 3, 3]);
  expect(await configurationOf(cluster.proposer(1))).toMatchObject({ era });
  expect(await cluster.control('collect')).toEqual({
    code: 0,
    stdout: `2 registers of deleted keys removed (era ${era + 2})\n`,
    stderr: '',
  });
  expect(await sizes(cluster)).toEqual([1, 1, 1]);
  for (const proposer of cluster.proposers) {
    expect(await configurationOf(proposer)).toMatchObject({ era: era + 2 });
    expect(await proposer.kv.get('a')).toMatchObject({ status: 404, code: 'KeyNotFound' });
    expect(await proposer.kv.get('kept')).toMatchObject({ body: { ver: 1, val: 'v' } });
    for (const ver of [1, 2, 3, 4, 5, 6]) expect(await proposer.kv.put('b', ver, 'old')).toMatchObject({ status: 409 });
  }
  expect(await kv.put('b', 0, 'new')).toMatchObject({ body: { ver: 7 } });
  expect(await cluster.proposer(2).kv.put('a', 0, 'new')).toMatchObject({ body: { ver: 7 } });
  expect(await cluster.control('collect')).toMatchObject({ code: 0, stdout: 'nothing was removed\n' });
  expect(await cluster.control('collect', '--dry-run')).toMatchObject({ code: 0, stdout: 'nothing would be removed\n' });
});

it('what an acceptor missed is brought to it first', async () => {
  const cluster = await grown(NAMES, (options) => Cluster.forThisTest(options));
  expect(await cluster.proposer(1).kv.put('seen', 0, 'old')).toMatchObject({ ok: true });
  await cluster.acceptor(3).kill9();
  expect(await cluster.proposer(1).kv.delete('seen')).toMatchObject({ ok: true });
  await bury(cluster, ['never seen']);
  const { era } = await configurationOf(cluster.proposer(1));
  const refused = await cluster.control('collect');
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toBe(`error: ${C} cannot be reached. Nothing was removed. Start it and run the command again.\n`);
  expect(await configurationOf(cluster.proposer(1))).toMatchObject({ era });
  await cluster.acceptor(3).start();
  await reconnected(cluster, 1);
  expect((await cluster.control('collect', '--dry-run')).stdout).toBe(
    '2 registers of deleted keys would be removed, 2 of them after a round that brings them to all acceptors\n',
  );
  expect(await cluster.control('collect')).toMatchObject({ code: 0, stdout: `2 registers of deleted keys removed (era ${era + 2})\n` });
  expect(await sizes(cluster)).toEqual([0, 0, 0]);
  expect(await cluster.proposer(2).kv.get('seen')).toMatchObject({ status: 404 });
});

it('with --dry-run changes nothing, not even what another command left to be made alike', async () => {
  const cluster = await grown([A]);
  await bury(cluster, ['a']);
  const before = await configurationOf(cluster.proposer(1));
  const next = { ...before, era: before.era + 1 };
  expect(await cluster.proposer(1).admin.configure(before.era, next)).toMatchObject({ ok: true });
  expect(await cluster.control('collect', '--dry-run')).toMatchObject({ code: 0, stderr: '' });
  expect([await configurationOf(cluster.proposer(1)), await configurationOf(cluster.proposer(2))]).toEqual([next, before]);
});

it('a tombstone that was copied goes through a round first: its ballot may have been brought to all of them without being chosen', async () => {
  const cluster = await grown([A]);
  await bury(cluster, ['a', 'b']);
  for (const step of [`add-accept all ${B} 2`, `rescan ${A},${B} 2`, `add-prepare all ${B} 2`]) {
    expect(await cluster.control(...step.split(' '))).toMatchObject({ code: 0, stderr: '' });
  }
  const { era } = await configurationOf(cluster.proposer(1));
  expect(await sizes(cluster, [A, B])).toEqual([2, 2]);
  const outlook = (await cluster.control('collect', '--dry-run')).stdout;
  expect(outlook).toBe('2 registers of deleted keys would be removed, 2 of them after a round that brings them to all acceptors\n');
  expect(await cluster.control('collect')).toMatchObject({ code: 0, stdout: `2 registers of deleted keys removed (era ${era + 2})\n` });
  expect(await sizes(cluster, [A, B])).toEqual([0, 0]);
});

it('what rounds of absent keys leave goes as well: empty values, and promises that nothing came of', async () => {
  const cluster = await grown(NAMES, (options) => Cluster.forThisTest(options));
  const to = cluster.proposer(1);
  await cluster.acceptor(2).kill9();
  await cluster.acceptor(3).kill9();
  expect(await to.kv.put('promised', 0, 'v')).toMatchObject({ status: 503 });
  await cluster.acceptor(2).start();
  await cluster.acceptor(3).start();
  await reconnected(cluster, 2);
  const { era } = await configurationOf(to);
  expect(await to.admin.rescan(era, ['empty'])).toMatchObject({ ok: true });
  expect((await sizes(cluster))[0]).toBe(2);
  expect(await cluster.control('collect')).toMatchObject({ code: 0, stdout: `2 registers of deleted keys removed (era ${era + 2})\n` });
  expect(await sizes(cluster)).toEqual([0, 0, 0]);
  expect(await to.kv.put('empty', 0, 'v'), 'nothing was deleted').toMatchObject({ body: { ver: 1 } });
});

it('is refused while a proposer is down, while they differ, and while a rescan must come first', async () => {
  const cluster = await grown([A, B]);
  await bury(cluster, ['a']);
  const before = await sizes(cluster, [A, B]);
  await cluster.proposer(2).end('SIGKILL');
  expect(await cluster.control('collect')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('proposer-2 cannot be reached') as unknown,
  });
  await cluster.proposer(2).start();
  for (const command of ['add-accept all', 'add-prepare all', 'rm-accept proposer-1']) {
    const name = command.startsWith('rm') ? A : C;
    expect(await cluster.control(...command.split(' '), name, '2'), command).toMatchObject({ code: 0 });
  }
  expect(await cluster.control('collect')).toMatchObject({ code: 1, stderr: expect.stringContaining('the proposers differ') as unknown });
  expect(await cluster.control('rm-accept', 'proposer-2', A, '2')).toMatchObject({ code: 0 });
  expect(await cluster.control('rm-prepare', 'all', A, '2')).toMatchObject({ code: 0 });
  const owed = await cluster.control('collect');
  expect(owed.stderr).toBe(
    'error: values may rest on acceptors of an earlier step, which hold what would be removed here: a rescan must come first. Nothing was removed. ' +
      `First: ./run-control.sh rescan ${B},${C} 2.\n`,
  );
  expect(await sizes(cluster, [A, B])).toEqual(before);
  expect((await cluster.control('rescan', `${B},${C}`, '2')).code).toBe(0);
  expect(await cluster.control('collect')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^1 register of deleted keys removed/) as unknown,
  });
  expect(await sizes(cluster, [B, C])).toEqual([0, 0]);
});

it('takes as many at a time as it has room for, until none is left', async () => {
  const cluster = await grown();
  await bury(
    cluster,
    Array.from({ length: 25 }, (_, index) => `k${index}`),
  );
  const { era } = await configurationOf(cluster.proposer(1));
  const nodes = new Nodes(['proposer-1', 'proposer-2'], NAMES, networkOf(cluster));
  const shown: string[] = [];
  const lines = await collect(nodes, { show: (text) => void shown.push(text) }, {}, 10);
  await nodes.close();
  expect(lines.join('\n')).toMatch(new RegExp(`^25 registers of deleted keys removed \\(era ${era + 2}\\)$`));
  expect(shown).toContain('removed 25 of 25 registers');
  expect(await sizes(cluster)).toEqual([0, 0, 0]);
});

it('may be killed before or after any of its writes: nothing comes back, and the next one finishes', async () => {
  const cluster = await grown();
  const network = networkOf(cluster);
  const attempt = async (connections: Connections): Promise<void> => {
    const nodes = new Nodes(['proposer-1', 'proposer-2'], NAMES, connections);
    await carryOut({ verb: 'collect' }, nodes, UNSEEN).catch(() => undefined);
    await nodes.close();
  };
  let points = 0;
  let version = 0;
  for (const moment of ['before', 'after'] as const) {
    for (let killAt = 1, isDead = true; isDead; killAt += 1) {
      const { kv } = cluster.proposer(1 + (killAt % 2));
      const created = await kv.put('k', 0, `${moment} ${killAt}`);
      expect(created.ok && created.body.ver).toBeGreaterThan(version);
      const deleted = await kv.delete('k');
      version = deleted.ok ? (deleted.body.deletedVer ?? 0) : Infinity;
      const mortal = new Mortal(network, killAt, moment);
      await attempt(mortal.connections);
      ({ isDead } = mortal);
      points += Number(isDead);
      for (const proposer of cluster.proposers) {
        expect(await proposer.kv.get('k')).toMatchObject({ status: 404 });
        expect(await proposer.kv.put('k', version - 1, 'old')).toMatchObject({ status: 409 });
      }
      if (killAt % 3 !== 0) continue;
      await attempt(network);
      expect(await sizes(cluster)).toEqual([0, 0, 0]);
    }
  }
  expect(points).toBeGreaterThanOrEqual(2 * 10);
});

it('stops at what somebody put among the registers by hand, and says so', async () => {
  const cluster = await grown();
  await bury(cluster, ['a']);
  const redis = new Redis({ host: '127.0.0.1', port: cluster.acceptor(2).port });
  onTestFinished(() => redis.disconnect());
  await redis.set('r:by-hand', 'text');
  expect(await cluster.control('collect')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(new RegExp(`^error: ${B} holds something that is no register .* docs/operations\\.md`)) as string,
  });
});

it('does not tell to start an acceptor that runs and lets nobody in', async () => {
  const cluster = await grown();
  const redis = new Redis({ host: '127.0.0.1', port: cluster.acceptor(3).port });
  onTestFinished(async () => {
    await redis.config('SET', 'requirepass', '');
    redis.disconnect();
  });
  await redis.config('SET', 'requirepass', 'another');
  const { code, stderr } = await cluster.control('collect');
  expect([code, stderr]).toEqual([1, expect.stringContaining(`${C} (it lets nobody in with these secrets`)]);
  expect(stderr).toContain('cannot be reached. Nothing was removed. Mend that and run the command again');
  const wiped = await cluster.control('wipe-acceptor', C);
  expect(wiped.stderr).toMatch(/could not be wiped: it lets nobody in .*NOAUTH\. Mend that and run the command again/);
});
