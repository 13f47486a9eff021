import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { acceptorName, Cluster } from '../cluster.js';
import { send } from '../raw-http.js';
import type { RedisServer } from '../redis-server.js';
import { sharedCluster } from '../shared-cluster.js';
import { answering, type Answers, bulk, FakeRedis } from '../src/fake-redis.js';

const configure = (acceptor: RedisServer, setting: string, value: string): Promise<unknown> =>
  acceptor.ask((redis) => redis.config('SET', setting, value));

/** A number that INFO has. */
async function figure(acceptor: RedisServer, name: string): Promise<number> {
  const info = await acceptor.ask((redis) => redis.info());
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1]);
}

const fileSize = (acceptor: RedisServer): Promise<number> => figure(acceptor, 'aof_current_size');
const memoryOf = (acceptor: RedisServer): Promise<number> => figure(acceptor, 'used_memory');

const fill = (acceptors: readonly RedisServer[]): Promise<unknown> =>
  Promise.all(acceptors.map((acceptor) => configure(acceptor, 'maxmemory', '1')));
const make = (acceptors: readonly RedisServer[]): Promise<unknown> =>
  Promise.all(acceptors.map((acceptor) => configure(acceptor, 'maxmemory', '0')));

/** With values of 60,000 bytes they are far more than connections need. */
const KEYS_TO_FREE = 40;
const WITHIN_MS = 10_000;
const [A1, A2, A3] = [1, 2, 3].map(acceptorName) as [string, string, string];

describe('acceptors with a full memory', () => {
  it('are named in each place that tells, once when it begins and once when it ends', async () => {
    const cluster = await Cluster.forThisTest({ proposers: 1, configured: 0 });
    const proposer = cluster.proposer(1);
    const { kv, address } = proposer;
    expect(await cluster.control('resize', `${A1},${A2},${A3}`)).toMatchObject({ code: 0 });
    const ready = (): ReturnType<typeof send> => send(address, { path: '/readyz' });
    const metric = async (name: string, labels: object): Promise<number | undefined> => {
      const answer = await proposer.admin.metrics();
      const values = answer.ok ? answer.body.find((one) => one.name === `caspaxos_${name}`)?.values : undefined;
      return values?.find((one) => Object.entries(labels).every(([label, value]) => one.labels[label] === value))?.value;
    };
    expect(await ready()).toMatchObject({ status: 200 });
    expect(await metric('acceptor_ready', { acceptor: A1 })).toBe(1);

    // One of three: a write goes through, and it is told all the same.
    await fill([cluster.acceptor(1)]);
    expect(await kv.put('k', 0, 1)).toMatchObject({ ok: true });
    await expect.poll(() => proposer.logged('does not do what it is told')).toHaveLength(1);
    expect(await ready()).toMatchObject({ status: 200 });
    expect(await metric('acceptor_ready', { acceptor: A1 })).toBe(0);
    expect(await metric('acceptor_ready', { acceptor: A2 })).toBe(1);

    await fill(cluster.acceptors);
    await expect.poll(() => metric('acceptor_memory_used_ratio', { acceptor: A3 }), { timeout: WITHIN_MS }).toBe(1);
    for (let turn = 0; turn < 3; turn += 1) expect(await kv.put('k', 1, 2)).toMatchObject({ status: 507, code: 'StorageFull' });
    // Where the machine is late the two that hold it may not answer in time, and a round would have to write.
    await expect.poll(() => kv.get('k')).toMatchObject({ body: { ver: 1 } });
    const { status, text } = await ready();
    expect([status, text]).toEqual([
      503,
      expect.stringContaining(`for want of ${A1} and ${A2} and ${A3}; ${A1}: OOM, its memory is full; `),
    ]);
    expect(proposer.logged('does not do what it is told').map(({ acceptor, msg }) => [acceptor, msg])).toEqual(
      expect.arrayContaining([A1, A2, A3].map((name) => [name, 'acceptor does not do what it is told: OOM, its memory is full'])),
    );
    expect(proposer.logged('does not do what it is told')).toHaveLength(3);
    expect(await metric('acceptor_failures_total', { acceptor: A2, reason: 'OOM' })).toBeGreaterThanOrEqual(3);
    expect(await metric('acceptor_failures_total', { acceptor: A2, reason: 'READONLY' })).toBe(0);
    const { stdout } = await cluster.control('status');
    expect(stdout).toMatch(new RegExp(`^${A2}: its memory is 100% full: see `, 'm'));
    expect(stdout).toMatch(new RegExp(`^${A2} does not do what proposer-1 tells it, since 20..-.*Z: OOM, its memory is full\\.$`, 'm'));

    // Nobody writes any more: it finds out by itself.
    await make(cluster.acceptors);
    await expect.poll(async () => (await ready()).status, { timeout: WITHIN_MS }).toBe(200);
    await expect.poll(() => proposer.logged('does what it is told again'), { timeout: WITHIN_MS }).toHaveLength(3);
    expect(await metric('acceptor_ready', { acceptor: A1 })).toBe(1);
    expect((await cluster.control('status')).stdout).not.toMatch(/does not do|full/);
    expect(await kv.put('k', 1, 2)).toMatchObject({ body: { ver: 2 } });
    expect((await cluster.control('dump', 'all')).code).toBe(0);
  });

  it('are noticed by /readyz though nobody has written yet, and nothing is written to find out', async () => {
    const cluster = await sharedCluster({ configured: 0 });
    const { address, kv } = cluster.proposer(1);
    expect(await cluster.control('resize', `${A1},${A2},${A3}`)).toMatchObject({ code: 0 });
    const sizes = async (): Promise<number[]> => Promise.all(cluster.acceptors.map(fileSize));
    // What an acceptor counts for a new era comes a little later.
    const quiet = async (): Promise<boolean> => {
      const earlier = await sizes();
      await sleep(2_500);
      return isDeepStrictEqual(await sizes(), earlier);
    };
    while (!(await quiet()));
    const before = await sizes();
    const ready = async (): Promise<number> => (await send(address, { path: '/readyz' })).status;
    expect(await ready()).toBe(200);
    await fill(cluster.acceptors.slice(1));
    expect(await ready()).toBe(503);
    expect(await kv.get('k')).toMatchObject({ code: 'KeyNotFound' });
    await make(cluster.acceptors);
    await expect.poll(ready, { timeout: WITHIN_MS }).toBe(200);
    expect(await sizes()).toEqual(before);
  });

  it('let no rescan by rounds through that brings them something; with more memory the same command leads out, and nothing is lost', async () => {
    const cluster = await sharedCluster({ configured: 0 });
    const { kv } = cluster.proposer(1);
    expect(await cluster.control('resize', `${A1},${A2},${A3}`)).toMatchObject({ code: 0 });
    await cluster.acceptor(1).kill9();
    for (const key of ['k', 'l', 'm']) expect(await kv.put(key, 0, key)).toMatchObject({ ok: true });
    await cluster.acceptor(1).start();
    await fill(cluster.acceptors);
    const failed = await cluster.control('resize', A1, '--by-rounds');
    expect(failed.code).toBe(1);
    expect(failed.stdout + failed.stderr).toContain('OOM');
    await make(cluster.acceptors);
    expect(await cluster.control('resize', A1, '--by-rounds')).toMatchObject({ code: 0, stderr: '' });
    expect((await cluster.control('status')).stdout).not.toContain('rescan has to bring them along');
    for (const key of ['k', 'l', 'm']) expect(await kv.get(key)).toMatchObject({ body: { ver: 1, val: key } });
  });

  it('let a resize to fewer through: what has to be on them is there already, so nothing is copied', async () => {
    const cluster = await sharedCluster({ configured: 0 });
    const { kv } = cluster.proposer(1);
    expect(await cluster.control('resize', `${A1},${A2},${A3}`)).toMatchObject({ code: 0 });
    for (const key of ['k', 'l', 'm']) expect(await kv.put(key, 0, key)).toMatchObject({ ok: true });
    // A write ends with a quorum: the third acceptor has it a little later.
    const redis = new Redis({ host: '127.0.0.1', port: cluster.acceptor(1).port });
    const values = (): Promise<number[]> => Promise.all(['r:k', 'r:l', 'r:m'].map((register) => redis.hexists(register, 'value')));
    await expect.poll(values, { timeout: WITHIN_MS }).toEqual([1, 1, 1]);
    redis.disconnect();
    await fill(cluster.acceptors);
    expect(await cluster.control('resize', A1)).toMatchObject({ code: 0, stderr: '' });
    expect((await cluster.control('status')).stdout).not.toContain('rescan has to bring them along');
    await make(cluster.acceptors);
    for (const key of ['k', 'l', 'm']) expect(await kv.get(key)).toMatchObject({ body: { ver: 1, val: key } });
  });

  it('say so where the acceptors were stopped, too: slow, or stopped', async () => {
    const cluster = await sharedCluster();
    for (const acceptor of cluster.acceptors) acceptor.pause();
    const answer = await cluster.proposer(1).impatient.put('k', 0, 1);
    for (const acceptor of cluster.acceptors) acceptor.resume();
    expect(answer).toMatchObject({ status: 503, message: expect.stringContaining(': slow or stopped, no answer in 300 ms') as string });
  });
});

describe('a write whose accept is sent to acceptors with a full memory', () => {
  it('is certainly not applied, names the reason, and goes through once there is room', async () => {
    const cluster = await sharedCluster();
    const { kv, impatient } = cluster.proposer(1);
    const first = acceptorName(1);
    // Its promise came with the write before: nothing but the accept is sent.
    expect(await kv.put('k', 0, 'old')).toMatchObject({ ok: true });
    await fill(cluster.acceptors);
    expect(await impatient.put('k', 1, 'new')).toMatchObject({
      status: 507,
      code: 'StorageFull',
      message: expect.stringMatching(
        new RegExp(
          `^0 of 3 acceptors accepted.*; ${first}.*: OOM, its memory is full. Delete keys, .* or give the acceptors more memory; to collect them: run-control.sh collect$`,
        ),
      ) as string,
    });
    expect(await kv.put('k', 1, 'new')).toMatchObject({ status: 507, code: 'StorageFull' });
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
    expect(await impatient.put('k', 1, 'new')).toMatchObject({ status: 507, code: 'StorageFull' });
  });

  it('is unknown where the other acceptor stands still: it may run the accept later, and does', async () => {
    const cluster = await sharedCluster();
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

describe('a delete, where the memory of all acceptors is full', () => {
  it('goes through, with or without a promise; what would take room does not', async () => {
    const cluster = await sharedCluster();
    const [{ kv }, { kv: other }] = [cluster.proposer(1), cluster.proposer(2)];
    for (const key of ['k', 'l', 'm']) expect(await kv.put(key, 0, 'x'.repeat(1_000))).toMatchObject({ ok: true });
    await fill(cluster.acceptors);
    expect(await kv.put('k', 1, 'y')).toMatchObject({ status: 507 });
    expect(await kv.post('k', { append: 'z' })).toMatchObject({ status: 507 });
    expect(await kv.put('new', 0, 1)).toMatchObject({ status: 507 });
    const keysOf = async (acceptor: RedisServer): Promise<string[]> => (await acceptor.ask((redis) => redis.keys('r:*'))).sort();
    expect(await kv.delete('k')).toMatchObject({ ok: true, body: { deletedVer: 2 } });
    expect(await other.delete('l')).toMatchObject({ ok: true, body: { deletedVer: 2 } });
    expect(await other.delete('m', 7)).toMatchObject({ code: 'VersionMismatch' });
    expect(await kv.get('k')).toMatchObject({ code: 'KeyNotFound', body: { ver: 0, deletedVer: 2 } });
    // Of what does not exist nothing can be freed, and not even a promise is written.
    expect(await other.delete('none')).toMatchObject({ status: 507 });
    for (const acceptor of cluster.acceptors) expect(await keysOf(acceptor)).toEqual(['r:k', 'r:l', 'r:m']);
    await make(cluster.acceptors);
    expect(await kv.put('k', 0, 'again')).toMatchObject({ body: { ver: 3 } });
  });

  it('goes through beside writes of the same key, which it shares a round with', async () => {
    const cluster = await sharedCluster();
    const { kv } = cluster.proposer(1);
    expect(await kv.put('k', 0, 'x'.repeat(1_000))).toMatchObject({ ok: true });
    await fill(cluster.acceptors);
    // While the first one is under way the others wait for the next round.
    const [, second, gone] = await Promise.all([kv.post('k', { append: 'y' }), kv.post('k', { append: 'z' }), kv.delete('k')]);
    expect(second).toMatchObject({ status: 507, code: 'StorageFull' });
    expect(gone).toMatchObject({ ok: true, body: { deletedVer: 2 } });
    await make(cluster.acceptors);
  });
});

describe('where the memory of all acceptors is full, and their sets were changed since keys were written,', () => {
  it('these are read, and those that were deleted before are collected', async () => {
    const cluster = await sharedCluster({ configured: 0 });
    const [{ kv }, { kv: other }] = [cluster.proposer(1), cluster.proposer(2)];
    expect(await cluster.control('resize', `${A1},${A2},${A3}`)).toMatchObject({ code: 0 });
    for (const key of ['k', 'gone']) expect(await kv.put(key, 0, 'x'.repeat(1_000))).toMatchObject({ ok: true });
    expect(await kv.delete('gone')).toMatchObject({ ok: true });
    expect(await cluster.control('resize', `${A1},${A2}`)).toMatchObject({ code: 0 });
    await fill(cluster.acceptors);
    expect(await kv.put('new', 0, 1)).toMatchObject({ status: 507 });
    for (const through of [kv, other]) {
      expect(await through.get('k')).toMatchObject({ ok: true, body: { ver: 1 } });
      expect(await through.get('gone')).toMatchObject({ code: 'KeyNotFound', body: { deletedVer: 2 } });
    }
    expect(await cluster.control('collect')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^1 register of deleted keys removed/m) as string,
    });
    expect(await kv.get('k')).toMatchObject({ ok: true, body: { ver: 1 } });
    await make(cluster.acceptors);
  });
});

describe('the way out that 507 names', () => {
  it('leads out: keys are deleted and collected while the memory of all acceptors is full, and what is written next goes through', async () => {
    const cluster = await sharedCluster({ configured: 0 });
    const { kv } = cluster.proposer(1);
    expect(await cluster.control('resize', `${A1},${A2},${A3}`)).toMatchObject({ code: 0 });
    const keys = Array.from({ length: KEYS_TO_FREE }, (_, index) => `key-${index}`);
    // One after the other: all at once they are too much for a machine that is busy with others.
    for (const key of keys) expect(await kv.put(key, 0, 'x'.repeat(60_000))).toMatchObject({ ok: true });
    // Half of what these take is too much for it, whatever else comes and goes meanwhile.
    const limit = async (acceptor: RedisServer): Promise<unknown> =>
      configure(acceptor, 'maxmemory', String((await memoryOf(acceptor)) - (KEYS_TO_FREE * 60_000) / 2));
    await Promise.all(cluster.acceptors.map(limit));
    const refused = await kv.put('new', 0, 1);
    expect(refused).toMatchObject({ status: 507, message: expect.stringContaining('run-control.sh collect') as string });
    for (const key of keys) expect(await kv.delete(key)).toMatchObject({ body: { deletedVer: 2 } });
    const { code, stdout, stderr } = await cluster.control('collect');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(new RegExp(`^${KEYS_TO_FREE} registers of deleted keys removed \\(era \\d+\\)$`, 'm'));
    expect(await kv.put('new', 0, 1)).toMatchObject({ body: { ver: 3, val: 1 } });
  });
});

describe('an acceptor that reads its file', () => {
  it('is told as loading in each place that tells, not as one that is not there', async () => {
    // What a Redis answers meanwhile: see redis-acceptor.test.ts for a real one.
    const ready = answering(null);
    const loading: Answers = (command, socket) => {
      if (command.startsWith('info')) return bulk('loading:1\r\nloading_eta_seconds:60\r\n');
      return command.startsWith('hello') ? ready(command, socket) : '-LOADING Redis is loading the dataset in memory\r\n';
    };
    const fake = await FakeRedis.start(loading);
    onTestFinished(() => fake.stop());
    const cluster = await Cluster.forThisTest({ proposers: 1, addresses: [fake.address] });
    const proposer = cluster.proposer(1);

    await expect.poll(() => proposer.logged('still reads its file'), { timeout: WITHIN_MS }).toMatchObject([{ acceptor: A1 }]);
    const { status, text } = await send(proposer.address, { path: '/readyz' });
    expect([status, text]).toEqual([503, expect.stringContaining(`${A1}: LOADING, it still reads its file`)]);
    const write = await proposer.kv.put('k', 0, 1);
    expect(write).toMatchObject({ status: 503, message: expect.stringContaining('LOADING, it still reads its file') as string });
    const { stdout } = await cluster.control('status');
    expect(stdout).toMatch(new RegExp(`^${A1} +not used `, 'm'));
    expect(stdout).toContain(`${A1}: LOADING, it still reads its file. Wait until it has.\n`);
    expect(stdout).toMatch(
      new RegExp(`^${A1} does not do what proposer-1 tells it, since 20..-.*Z: LOADING, it still reads its file\\.$`, 'm'),
    );
    const metrics = await proposer.admin.metrics();
    const values = (name: string): readonly object[] =>
      metrics.ok ? (metrics.body.find((one) => one.name === `caspaxos_${name}`)?.values ?? []) : [];
    expect(values('acceptor_ready')).toMatchObject([{ value: 0 }]);
    const failures = values('acceptor_failures_total') as readonly { value: number; labels: { reason: string } }[];
    const counted = failures.filter(({ value }) => value > 0).map(({ labels: { reason } }) => reason);
    expect(counted).toEqual(['LOADING']);

    fake.answers = ready;
    await expect.poll(() => proposer.logged('acceptor connected'), { timeout: WITHIN_MS }).toHaveLength(1);
    expect(proposer.logged('still reads its file')).toHaveLength(1);
  });
});
