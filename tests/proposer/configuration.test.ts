import { afterAll, describe, expect, it } from 'vitest';
import { acceptorName, Cluster, configurationOf, firstAcceptors, majorities } from '../cluster.js';
import { send } from '../raw-http.js';

/** How long a proposer waits for connections to acceptors that a configuration adds: `AcceptorPoolOptions.connectWaitMs`. */
const CONNECT_WAIT_MS = 500;
const one = majorities(1);
/** For the tests that change no configuration: it stays that of era 1. */
let shared: Promise<Cluster> | undefined;
const unchanged = (): Promise<Cluster> => (shared ??= Cluster.start({ acceptors: 2, proposers: 1, configured: 1 }));
afterAll(async () => (await shared)?.stop());

describe('a change of the configuration', () => {
  it('starts from era 0 and empty sets, and is answered with the new ones', async () => {
    const cluster = await Cluster.forThisTest({ acceptors: 1, proposers: 1, configured: 0 });
    const proposer = cluster.proposer(1);
    const empty = { nodes: [], quorum: 0 };
    expect(await configurationOf(proposer)).toEqual({ era: 0, prepare: empty, accept: empty });
    const answer = await proposer.admin.configure(0, { era: 1, ...one });
    expect(answer).toEqual({ ok: true, status: 200, body: { era: 1, ...one } });
    expect(await configurationOf(proposer)).toEqual({ era: 1, ...one });
  });

  it('is remembered with the last ones before it, for whoever looks from time to time', async () => {
    const cluster = await Cluster.forThisTest({ acceptors: 2, proposers: 1, configured: 1 });
    const { admin } = cluster.proposer(1);
    const begunMs = Date.now();
    await admin.configure(0, { era: 9, ...one });
    for (let era = 1; era <= 60; era += 1) await admin.configure(era, { era: era + 1, ...majorities(1 + (era % 2)) });
    const answer = await admin.configurations();
    const eras = answer.ok ? answer.body.map(({ configuration: { era } }) => era) : [];
    expect(eras).toEqual(Array.from({ length: 50 }, (_, index) => index + 12));
    expect(answer.ok && answer.body.at(-1)).toEqual({
      atMs: expect.any(Number) as unknown,
      configuration: await configurationOf(cluster.proposer(1)),
    });
    expect(answer.ok && answer.body.every(({ atMs }) => atMs >= begunMs && atMs <= Date.now())).toBe(true);
  });

  it('from another era than the present one is refused with the present configuration, and changes nothing', async () => {
    const cluster = await unchanged();
    const proposer = cluster.proposer(1);
    for (const expectedEra of [0, 2, 2 ** 53 - 2]) {
      const answer = await proposer.admin.configure(expectedEra, { era: 2 ** 53 - 1, ...majorities(2) });
      expect(answer).toMatchObject({ ok: false, status: 409, code: 'EraMismatch', body: { era: 1, ...one } });
    }
    expect(await configurationOf(proposer)).toEqual({ era: 1, ...one });
    expect(proposer.stored('configuration.json')).toBe(JSON.stringify({ era: 1, ...one }));
  });

  it('of two operators at once takes effect for exactly one, also while both wait for a connection', async () => {
    const cluster = await Cluster.forThisTest({ acceptors: 3, proposers: 1, configured: 1 });
    const proposer = cluster.proposer(1);
    // Adding an acceptor that is down makes each change wait before it is made.
    await cluster.acceptor(3).kill9();
    for (let era = 1; era <= 3; era += 1) {
      const wishes = [2, 3].map((quorum) => ({ era: era + 1, prepare: firstAcceptors(3, quorum), accept: firstAcceptors(3, quorum) }));
      const answers = await Promise.all(wishes.map((wish) => proposer.admin.configure(era, wish)));
      const winner = answers.findIndex(({ ok }) => ok);
      expect(answers[1 - winner]).toMatchObject({ ok: false, status: 409, code: 'EraMismatch', body: { era: era + 1 } });
      expect(await configurationOf(proposer)).toEqual(wishes[winner]);
      expect(proposer.stored('configuration.json')).toBe(JSON.stringify(wishes[winner]));
    }
  });

  it.each([
    ['an accept quorum larger than its set', { accept: { ...one.accept, quorum: 2 } }, /accept\.quorum must be an integer from 1 to 1/],
    ['a prepare quorum of 0', { prepare: { ...one.prepare, quorum: 0 } }, /prepare\.quorum must be/],
    ['a negative quorum', { prepare: { ...one.prepare, quorum: -1 } }, /prepare\.quorum must be/],
    ['a quorum for nobody', { prepare: { nodes: [], quorum: 1 } }, /prepare\.quorum must be an integer from 0 to 0/],
    ['a fractional quorum', { accept: { ...one.accept, quorum: 0.5 } }, /accept\.quorum/],
    ['a quorum in quotes', { accept: { ...one.accept, quorum: '1' } }, /accept\.quorum/],
    [
      'an acceptor listed twice',
      { accept: { nodes: [acceptorName(1), acceptorName(1)], quorum: 1 } },
      /accept\.nodes lists an acceptor twice/,
    ],
    ['nodes that are no list', { accept: { nodes: acceptorName(1), quorum: 1 } }, /accept\.nodes must be a list/],
    [
      'a node without a port',
      { accept: { nodes: ['acceptor-1'], quorum: 1 } },
      /^not the name of an acceptor: not an address, host:port: "acceptor-1"$/,
    ],
    ['a node with a wrong port', { accept: { nodes: ['acceptor-1:99999'], quorum: 1 } }, /not the name of an acceptor/],
    ['a node that is a number', { accept: { nodes: [1], quorum: 1 } }, /accept\.nodes/],
    ['no prepare set', { prepare: undefined }, /prepare must be a JSON object/],
    ['an era that is not higher', { era: 1 }, /era must be higher/],
    ['an era that is not an integer', { era: 1.5 }, /era must be an integer/],
    ['an era beyond 2^53', { era: 2 ** 53 }, /era must be an integer/],
    ['no expected era', { expectedEra: undefined }, /expectedEra must be an integer/],
    ['an expected era in quotes', { expectedEra: '1' }, /expectedEra must be an integer/],
  ])('with %s is refused with 400, and changes nothing', async (_, fault, message) => {
    const cluster = await unchanged();
    const { adminAddress } = cluster.proposer(1);
    const body = { expectedEra: 1, era: 2, ...one, ...fault };
    const answer = await send(adminAddress, { method: 'PUT', path: '/configuration', body });
    expect([answer.status, answer.body]).toMatchObject([400, { code: 'BadRequest', message: expect.stringMatching(message) as string }]);
    expect(await configurationOf(cluster.proposer(1))).toEqual({ era: 1, ...one });
  });

  it('is on disk when it is answered, and there after SIGKILL and after SIGTERM', async () => {
    const cluster = await Cluster.forThisTest({ acceptors: 2, proposers: 1, configured: 1 });
    const proposer = cluster.proposer(1);
    await proposer.kv.put('a', 0, 'kept');
    for (const [era, signal] of [
      [2, 'SIGKILL'],
      [3, 'SIGTERM'],
      [4, 'SIGKILL'],
    ] as const) {
      // prettier-ignore
      await proposer.admin.configure(era - 1, { era, ...majorities(era % 2 ? 2 : 1) });
      expect(proposer.stored('configuration.json')).toBe(JSON.stringify({ era, ...majorities(era % 2 ? 2 : 1) }));
      await proposer.end(signal);
      await proposer.start();
      expect(await configurationOf(proposer)).toEqual({ era, ...majorities(era % 2 ? 2 : 1) });
    }
  });

  it('goes on although an acceptor that it adds is down, within a bounded time', async () => {
    const cluster = await Cluster.forThisTest({ acceptors: 3, proposers: 1, configured: 1 });
    await cluster.acceptor(3).kill9();
    const startedAt = performance.now();
    expect(await cluster.proposer(1).admin.configure(1, { era: 2, ...majorities(3) })).toMatchObject({ ok: true });
    expect(performance.now() - startedAt).toBeLessThan(CONNECT_WAIT_MS + 5_000);
    expect(await cluster.proposer(1).kv.put('a', 0, 1)).toMatchObject({ ok: true });
  });
});

describe('a rescan', () => {
  it('answers with the number of keys done, and refuses another era, more than 1,000 keys, and what is no key', async () => {
    const cluster = await unchanged();
    const { adminAddress, kv } = cluster.proposer(1);
    const rescan = (body: unknown): ReturnType<typeof send> => send(adminAddress, { method: 'POST', path: '/rescan', body });
    await kv.put('a', 0, 1);
    const done = await rescan({ era: 1, keys: ['a', 'absent'] });
    expect([done.status, done.body]).toEqual([200, { done: 2, failed: [] }]);
    const stale = await rescan({ era: 2, keys: ['a'] });
    expect([stale.status, stale.body]).toMatchObject([409, { code: 'EraMismatch', era: 1, ...one }]);
    const thousand = Array.from({ length: 1_000 }, (_, index) => `key-${index}`);
    expect((await rescan({ era: 1, keys: thousand })).body?.['done']).toBe(1_000);
    for (const keys of [[...thousand, 'one more'], [''], [1], 'a', null, undefined]) {
      const answer = await rescan({ era: 1, keys });
      expect([answer.status, answer.body]).toMatchObject([400, { code: 'BadRequest' }]);
    }
    expect(await kv.get('a')).toMatchObject({ body: { ver: 1, val: 1 } });
  });

  it('names each key that could not be done', async () => {
    const cluster = await Cluster.forThisTest({ acceptors: 1, proposers: 1 });
    await cluster.acceptor(1).kill9();
    const answer = await cluster.proposer(1).admin.rescan(1, ['a', 'b']);
    if (!answer.ok) throw new Error(answer.message);
    expect(answer.body.done).toBe(0);
    expect(answer.body.failed.map(({ key }) => key).sort()).toEqual(['a', 'b']);
    expect(answer.body.failed[0]?.message).toMatch(/0 of 1 acceptors/);
  });
});
