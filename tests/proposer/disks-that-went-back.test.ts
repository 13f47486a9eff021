import { readdir, readFile, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { EMPTY_CONFIGURATION } from '../../src/protocol/configuration.js';
import { wentBack } from '../../src/store/greeting.js';
import { acceptorName, Cluster, configurationOf } from '../cluster.js';
import type { ProposerProcess } from '../proposer-process.js';
import { send } from '../raw-http.js';
import type { RedisServer } from '../redis-server.js';
import { backUp, clusterWithIdentities } from './forgetting.js';

const BACK = { timeout: 10_000 };
/** An acceptor has counted, and everybody has heard of it, this long after the last write. */
const BEAT_MS = 2_500;
const WRITES = 30;
const NOTICED = /its disk went back to an earlier moment, noticed by proposer [12] at \d{4}-/;
const identityOf = (acceptor: RedisServer): Promise<string | null> => acceptor.ask((redis) => redis.get('identity'));
const ready = ({ address }: ProposerProcess): ReturnType<typeof send> => send(address, { path: '/readyz' });

/** Under names: where a machine that stalls leaves an outcome unknown, it is asked for again, as a client does. */
async function write({ kv }: ProposerProcess, ver: number): Promise<void> {
  for (let key = 0; key < WRITES; key += 1) {
    await expect.poll(() => kv.put(`k${key}`, ver, ver + 1, { name: `k${key} ${ver + 1}` }), BACK).toMatchObject({ ok: true });
  }
}

async function expectVersions(proposer: ProposerProcess, ver: number): Promise<void> {
  for (let key = 0; key < WRITES; key += 1) {
    await expect.poll(async () => (await proposer.kv.get(`k${key}`)).body, BACK).toMatchObject({ ver });
  }
}

/** By what `status` says, and nothing else. */
async function replace(cluster: Cluster, number: number): Promise<void> {
  const { stdout } = await cluster.control('status');
  const commands = [...(/To replace it: (.*)\./.exec(stdout)?.[1] ?? '').matchAll(/run-control\.sh ([^;]*)/g)].map(
    ([, words = '']) => words,
  );
  expect(commands).toHaveLength(3);
  for (const command of commands) expect(await cluster.control(...command.split(' '))).toMatchObject({ code: 0 });
  for (const proposer of cluster.proposers) await expect.poll(async () => (await ready(proposer)).status, BACK).toBe(200);
  expect(await identityOf(cluster.acceptor(number))).toMatch(/^acceptor-\d:6379#[0-9a-f]+$/);
}

/** How many accepts the proposer has heard this acceptor say yes to. */
async function acceptsOf({ admin }: ProposerProcess, acceptor: string): Promise<number> {
  const metrics = await admin.metrics();
  const calls = metrics.ok ? (metrics.body.find(({ name }) => name === 'caspaxos_acceptor_calls_total')?.values ?? []) : [];
  const asked = calls.find(({ labels }) => labels['acceptor'] === acceptor && labels['phase'] === 'accept' && labels['outcome'] === 'ok');
  return asked?.value ?? 0;
}

describe('an acceptor whose disk went back', () => {
  it('by a restored copy, another one having been down in between, makes nobody read an old version, and can be replaced', async () => {
    const cluster = await clusterWithIdentities(3);
    const [one, two] = [cluster.proposer(1), cluster.proposer(2)];
    await write(one, 0);
    await sleep(BEAT_MS);
    const putBack = await backUp(cluster.acceptor(1));
    await cluster.acceptor(3).kill9();
    await write(one, 1);
    await sleep(BEAT_MS);

    await putBack();
    await cluster.acceptor(3).start();
    await cluster.acceptor(2).kill9();
    for (const proposer of cluster.proposers) {
      await expect.poll(() => proposer.logged('its disk went back'), BACK).toMatchObject([{ acceptor: acceptorName(1), level: 50 }]);
      for (let key = 0; key < 10; key += 1) expect(await proposer.impatient.get(`k${key}`)).toMatchObject({ status: 503 });
      expect(await ready(proposer)).toMatchObject({ status: 503, text: expect.stringMatching(NOTICED) as string });
    }
    const { atMs = 0, was } = wentBack(await identityOf(cluster.acceptor(1))) ?? {};
    expect(was).toMatch(/^acceptor-1:6379#/);
    expect(Math.abs(Date.now() - atMs)).toBeLessThan(60_000);
    const metrics = await two.admin.metrics();
    expect(metrics.ok && metrics.body.find(({ name }) => name === 'caspaxos_acceptor_went_back_timestamp_seconds')?.values).toEqual(
      [1, 2, 3].map((number) => ({ labels: { acceptor: acceptorName(number) }, value: number === 1 ? atMs / 1_000 : 0 })),
    );

    await cluster.acceptor(2).start();
    for (const proposer of cluster.proposers) await expectVersions(proposer, 2);
    expect((await cluster.control('status')).stdout).toMatch(new RegExp(`acceptor-1:6379: ${NOTICED.source}.*, and no proposer uses it`));
    await replace(cluster, 1);
    await expectVersions(two, 2);
  });

  it('by a tail that was cut off, be it of the last write alone, is noticed by the proposer that had made it', async () => {
    const cluster = await clusterWithIdentities(3);
    const { kv } = cluster.proposer(1);
    expect(await kv.put('a', 0, 'kept')).toMatchObject({ ok: true });
    await sleep(BEAT_MS);
    const acceptor = cluster.acceptor(1);
    const folder = join(acceptor.directory, 'appendonlydir');
    const name = (await readdir(folder)).find((file) => file.endsWith('.incr.aof')) ?? '';
    const before = (await readFile(join(folder, name))).length;
    const confirmed = await acceptsOf(cluster.proposer(1), acceptorName(1));
    expect(await kv.put('a', 1, 'cut off')).toMatchObject({ ok: true });
    // The other two may have been enough: it counts once this one's answer was heard.
    await expect.poll(() => acceptsOf(cluster.proposer(1), acceptorName(1))).toBe(confirmed + 1);
    await acceptor.kill9();
    await truncate(join(folder, name), before);
    await acceptor.start();
    await expect.poll(() => cluster.proposer(1).logged('its disk went back'), BACK).toHaveLength(1);
    await expect.poll(() => cluster.proposer(2).logged('its disk went back'), BACK).toHaveLength(1);
    expect(await cluster.proposer(2).kv.get('a')).toMatchObject({ body: { ver: 2, val: 'cut off' } });
  });

  it('while all proposers were down is noticed by what they have on their disks', async () => {
    const cluster = await clusterWithIdentities(3);
    const putBack = await backUp(cluster.acceptor(1));
    for (let ver = 0; ver < 5; ver += 1) {
      expect(await cluster.proposer(1).kv.put('a', ver, ver)).toMatchObject({ ok: true });
      await sleep(BEAT_MS / 2);
    }
    await sleep(BEAT_MS);
    for (const proposer of cluster.proposers) await proposer.end('SIGKILL');
    await putBack();
    // The one that wrote nothing had looked.
    await cluster.proposer(2).start();
    await expect.poll(() => cluster.proposer(2).logged('its disk went back'), BACK).toHaveLength(1);
    expect(await identityOf(cluster.acceptor(1))).toMatch(/~\d+~2$/);
  });

  it('to before a rescan copied registers to it, with no write since, makes nobody take what it lacks for absent', async () => {
    const cluster = await Cluster.forThisTest({ acceptors: 3, configured: 0 });
    const [one, two, three] = [acceptorName(1), acceptorName(2), acceptorName(3)];
    const control = async (...words: string[]): Promise<void> => expect(await cluster.control(...words)).toMatchObject({ code: 0 });
    await control('resize', one);
    await write(cluster.proposer(1), 0);
    await sleep(BEAT_MS);
    await control('add-accept', 'all', two, '2');
    await sleep(BEAT_MS);
    const putBack = await backUp(cluster.acceptor(2));
    await control('resize', [one, two, three].join(','));
    await sleep(BEAT_MS);

    await putBack();
    await cluster.acceptor(1).kill9();
    for (const proposer of cluster.proposers) {
      await expect.poll(() => proposer.logged('its disk went back'), BACK).toMatchObject([{ acceptor: two, level: 50 }]);
      expect(await proposer.impatient.get('k0')).toMatchObject({ status: 503 });
    }
    await cluster.acceptor(1).start();
    for (const proposer of cluster.proposers) await expectVersions(proposer, 1);
  });

  it('is put right by its own disk, and by no step that lets it join as it is', async () => {
    const cluster = await clusterWithIdentities(3);
    const old = await backUp(cluster.acceptor(1));
    await write(cluster.proposer(1), 0);
    await sleep(BEAT_MS);
    const right = await backUp(cluster.acceptor(1));
    await old();
    await expect.poll(() => cluster.proposer(2).logged('its disk went back'), BACK).toHaveLength(1);
    expect(await cluster.control('resize', [2, 3].map(acceptorName).join(','))).toMatchObject({ code: 0 });
    const { code, stderr } = await cluster.control('resize', [1, 2, 3].map(acceptorName).join(','));
    expect([code, stderr]).toEqual([1, expect.stringMatching(/went back.*wipe-acceptor acceptor-1:6379/)]);
    await right();
    expect(wentBack(await identityOf(cluster.acceptor(1)))).toBeUndefined();
  });
});

describe('there is no false alarm', () => {
  it('over SIGKILL and the start of everything, again and again, with writes under way', async () => {
    const cluster = await clusterWithIdentities(3);
    let isOver = false;
    const writers = cluster.proposers.map(async ({ kv }, index) => {
      for (let count = 0; !isOver; count += 1) await kv.put(`w${index}-${count}`, 0, count).catch(() => sleep(20));
    });
    for (let round = 0; round < 6; round += 1) {
      await sleep(700);
      const nodes = [
        ...cluster.acceptors.map((acceptor) => () => acceptor.kill9()),
        ...cluster.proposers.map((one) => () => one.end('SIGKILL')),
      ];
      await Promise.all(nodes.map((kill) => kill()));
      await Promise.all([...cluster.acceptors, ...cluster.proposers].map((node) => node.start()));
    }
    await sleep(BEAT_MS);
    isOver = true;
    await Promise.all(writers);
    for (const proposer of cluster.proposers) {
      expect([...proposer.logged('went back'), ...proposer.logged('is another one'), ...proposer.logged('old one')]).toEqual([]);
      expect((await ready(proposer)).status).toBe(200);
    }
    for (const acceptor of cluster.acceptors) {
      expect(await identityOf(acceptor)).toMatch(/^acceptor-\d:6379#[0-9a-f]+$/);
      expect(Number(await acceptor.ask((redis) => redis.get('beats')))).toBeGreaterThan(3);
    }
  });

  it('where a proposer remembers less, having lost its memory of the acceptors or an older one put back', async () => {
    const cluster = await clusterWithIdentities(3);
    const [one] = cluster.proposers;
    if (!one) throw new Error('there is no proposer');
    await write(one, 0);
    await sleep(BEAT_MS);
    const remembered = one.stored('beats.json');
    expect(JSON.parse(remembered)).toEqual(
      Object.fromEntries(
        Object.entries((await configurationOf(one)).identities ?? {}).map(([, identity]) => [identity, expect.any(Number)]),
      ),
    );
    await write(one, 1);
    await sleep(BEAT_MS);
    for (const text of [remembered, '{}']) {
      await one.end('SIGKILL');
      one.store('beats.json', text);
      await one.start();
      await expect.poll(async () => (await ready(one)).status, BACK).toBe(200);
      expect(await one.kv.put('k0', 2, 'on')).toMatchObject(text === '{}' ? { code: 'VersionMismatch' } : { ok: true });
    }
    expect(one.logged('went back')).toEqual([]);
  });

  it('an idle cluster writes nothing', async () => {
    const cluster = await clusterWithIdentities(3);
    await write(cluster.proposer(1), 0);
    await sleep(2 * BEAT_MS);
    const sizes = (): Promise<string[]> =>
      Promise.all(
        cluster.acceptors.map((acceptor) => acceptor.ask(async (redis) => /aof_current_size:\d+/.exec(await redis.info())?.[0] ?? '')),
      );
    const files = (): string[] => cluster.proposers.map((proposer) => proposer.stored('beats.json'));
    const before = [await sizes(), files()];
    await sleep(2 * BEAT_MS);
    expect([await sizes(), files()]).toEqual(before);
  });
});

describe('a proposer whose state folder went back', () => {
  it('to before a resize runs no round, says so, and is led on by copy', async () => {
    const cluster = await clusterWithIdentities(3);
    const [one, two] = [cluster.proposer(1), cluster.proposer(2)];
    const old = one.stored('configuration.json');
    expect(await cluster.control('resize', acceptorName(1))).toMatchObject({ code: 0 });
    await write(two, 0);
    await one.end('SIGKILL');
    one.store('configuration.json', old);
    await one.start();

    await expect.poll(() => one.logged('this state folder is an old one'), BACK).toHaveLength(1);
    for (const { kv } of [one, one]) {
      expect(await kv.put('new', 0, 1)).toMatchObject({ status: 503, code: 'OldState' });
      expect(await kv.get('k0')).toMatchObject({ status: 503, code: 'OldState' });
    }
    expect(await ready(one)).toMatchObject({ status: 503, text: expect.stringMatching(/OldState.*run-control\.sh copy/) as string });
    expect((await cluster.control('status')).stdout).toMatch(/proposer-1: the state folder of this proposer is older/);
    // On disk, too: after a restart it might reach none that knows.
    await expect.poll(() => JSON.parse(one.stored('configuration.json')) as unknown, BACK).toEqual(EMPTY_CONFIGURATION);
    await one.end('SIGKILL');
    await one.start();
    expect(await one.kv.put('new', 0, 1)).toMatchObject({ status: 503 });

    expect(await cluster.control('copy', 'proposer-2', 'proposer-1')).toMatchObject({ code: 0 });
    await expectVersions(one, 1);
    expect(await one.kv.put('new', 0, 1)).toMatchObject({ ok: true });
    expect((await ready(one)).status).toBe(200);
    expect((await cluster.control('status')).stdout).not.toMatch(/older|differ/);
  });

  it('to sets of which every acceptor was wiped since serves nothing, and is led on by removing the file, and copy', async () => {
    const cluster = await clusterWithIdentities(3);
    const one = cluster.proposer(1);
    expect(await cluster.control('resize', acceptorName(1))).toMatchObject({ code: 0 });
    const old = one.stored('configuration.json');
    expect(await cluster.control('resize', [2, 3].map(acceptorName).join(','))).toMatchObject({ code: 0 });
    expect(await cluster.control('wipe-acceptor', acceptorName(1))).toMatchObject({ code: 0 });
    await write(cluster.proposer(2), 0);
    await one.end('SIGKILL');
    one.store('configuration.json', old);
    await one.start();
    expect(await one.impatient.put('new', 0, 1)).toMatchObject({ status: 503 });
    expect(await cluster.control('copy', 'proposer-2', 'proposer-1')).toMatchObject({ code: 1 });
    const { stdout } = await cluster.control('status');
    expect(stdout).toMatch(
      /: stop proposer-1, remove its configuration\.json, start it, and then: \.\/run-control\.sh copy proposer-2 proposer-1/,
    );
    expect(stdout).not.toContain('Run it again');

    await one.end('SIGKILL');
    await rm(join(one.stateFolder, 'configuration.json'));
    await one.start();
    expect(await cluster.control('copy', 'proposer-2', 'proposer-1')).toMatchObject({ code: 0 });
    await expectVersions(one, 1);
  });
});
