import type { Versioned } from '../../src/store/versioned.js';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Answer, KeyValueClient } from '../../src/http/client.js';
import { acceptorName, Cluster } from '../cluster.js';
import type { ProposerProcess } from '../proposer-process.js';
import { send } from '../raw-http.js';
import type { RedisServer } from '../redis-server.js';
import { backUp, clusterWithIdentities, loseVolume, waysToForget } from './forgetting.js';

const BACK = { timeout: 8_000 };
/** This long after the last write an acceptor counts no more. */
const BEAT_MS = 2_500;
const STRANGER = 'lost its data or is another one';
const registers = (acceptor: RedisServer): Promise<string[]> => acceptor.ask(async (redis) => (await redis.keys('r:*')).sort());
const ready = ({ address }: ProposerProcess): ReturnType<typeof send> => send(address, { path: '/readyz' });

describe('one acceptor of three', () => {
  it.each(waysToForget)(
    'that $how takes no part any more; the others go on, and the log says it once',
    async ({ forget, closings = 1 }) => {
      const cluster = await clusterWithIdentities(3);
      for (const [index, { kv }] of cluster.proposers.entries()) await kv.put(`a${index}`, 0, 1);
      await forget(cluster.acceptor(2));
      const left = await registers(cluster.acceptor(2));
      for (const [index, proposer] of cluster.proposers.entries()) {
        const { kv } = proposer;
        for (let ver = 1; ver <= 10; ver += 1) {
          expect(await kv.put(`a${index}`, ver, ver + 1)).toMatchObject({ ok: true });
          expect(await kv.put(`new${index}-${ver}`, 0, 1)).toMatchObject({ ok: true });
          expect(await kv.get(`a${index}`)).toMatchObject({ ok: true, body: { val: ver + 1 } });
          expect(await kv.get(`never${index}-${ver}`)).toMatchObject({ code: 'KeyNotFound' });
        }
        await expect.poll(() => proposer.logged(STRANGER), BACK).not.toEqual([]);
        const logged = proposer.logged(STRANGER);
        for (const line of logged) expect(line).toMatchObject({ acceptor: acceptorName(2), level: 50 });
        expect(logged.length).toBeLessThanOrEqual(closings);
        expect((await ready(proposer)).status).toBe(200);
      }
      expect(await registers(cluster.acceptor(2))).toEqual(left);
      expect((await cluster.control('status')).stdout).toMatch(/acceptor-2:6379 lost its data or is another acceptor.*To replace it/);
    },
  );
});

describe('an acceptor that came back without an acknowledged write', () => {
  /**
   * The write rests on acceptors 1 and 2, for 3 is down. Then 2 loses its disk, 1 goes down, and 3 comes back: two of three answer, one with the
   * older value, one with nothing.
   */
  async function forgottenWrite(cluster: Cluster): Promise<void> {
    const { kv } = cluster.proposer(1);
    expect(await kv.put('a', 0, 'older')).toMatchObject({ ok: true });
    await expect.poll(() => registers(cluster.acceptor(3))).toEqual(['r:a']);
    await cluster.acceptor(3).kill9();
    expect(await kv.put('a', 1, 'acknowledged')).toMatchObject({ ok: true });
    await loseVolume(cluster.acceptor(2));
    await cluster.acceptor(1).kill9();
    await cluster.acceptor(3).start();
  }

  it('without identities makes the proposers answer the older value', async () => {
    const cluster = await Cluster.forThisTest();
    await forgottenWrite(cluster);
    const { kv } = cluster.proposer(2);
    await expect.poll(async () => (await kv.get('a')).body, BACK).toMatchObject({ ver: 1, val: 'older' });
  });

  it('is not asked: the proposers refuse until the third is back, and then answer the acknowledged one', async () => {
    const cluster = await clusterWithIdentities(3);
    await forgottenWrite(cluster);
    const until = Date.now() + 2_000;
    while (Date.now() < until) {
      for (const { kv, impatient } of cluster.proposers) {
        for (const client of [kv, impatient]) expect(await client.get('a')).toMatchObject({ status: 503 });
        expect(await impatient.put('a', 1, 'on top of the older')).toMatchObject({ ok: false, status: 503 });
      }
    }
    for (const proposer of cluster.proposers) {
      expect(await proposer.kv.get('a')).toMatchObject({
        message: expect.stringMatching(/acceptor-2:6379.*run-control.sh status/) as string,
      });
      expect(await ready(proposer)).toMatchObject({ status: 503, text: expect.stringMatching(/acceptor-2:6379.*status/) as string });
    }
    expect(await registers(cluster.acceptor(2))).toEqual([]);
    await cluster.acceptor(1).start();
    for (const { kv } of cluster.proposers) {
      await expect.poll(async () => (await kv.get('a')).body, BACK).toMatchObject({ ver: 2, val: 'acknowledged' });
    }
    expect(await cluster.proposer(2).kv.put('a', 2, 'next')).toMatchObject({ ok: true });
    expect(await registers(cluster.acceptor(2))).toEqual([]);
  });
});

describe('the only acceptor', () => {
  it.each(waysToForget)('that $how: every GET is 503, never 404; with its data back work goes on', async ({ forget }) => {
    const cluster = await clusterWithIdentities(1);
    const [acceptor, [one]] = [cluster.acceptor(1), cluster.proposers];
    expect(await one?.kv.put('a', 0, 'kept')).toMatchObject({ ok: true });
    // What it counts after the copy would be missing from the copy.
    await sleep(BEAT_MS);
    const putBack = await backUp(acceptor);

    const answers: Answer<Versioned>[] = [];
    let isOver = false;
    const readers: Promise<void>[] = [];
    const begin = (client: KeyValueClient): void => {
      const read = async (): Promise<void> => {
        while (!isOver) answers.push(await client.get('a'));
      };
      readers.push(read());
    };
    for (const { kv } of cluster.proposers) begin(kv);
    try {
      await forget(acceptor);
      // Theirs are rounds: what these left before would be missing from the copy.
      for (const { impatient } of cluster.proposers) begin(impatient);
      await sleep(500);
      const requests = cluster.proposers.flatMap(({ kv, impatient }) =>
        ['a', 'never', 'never either'].flatMap((key) => [kv.get(key), impatient.get(key), impatient.put(key, 0, 'as if there were none')]),
      );
      expect((await Promise.all(requests)).map(({ status }) => status)).toEqual(requests.map(() => 503));
      for (const proposer of cluster.proposers) {
        expect(await proposer.kv.get('a')).toMatchObject({
          code: 'PrepareError',
          message: expect.stringMatching(/acceptor-1:6379 lost the data or is another acceptor .*run-control.sh status/) as string,
        });
        const { status, text } = await ready(proposer);
        expect([status, text]).toEqual([503, expect.stringMatching(/acceptor-1:6379 lost the data.*run-control.sh status/)]);
        // Once, and again where it was away in between.
        const told = proposer.logged(STRANGER).length;
        expect(told).toBeGreaterThan(0);
        expect(told).toBeLessThanOrEqual(1 + proposer.logged('went away').length);
      }
      await putBack();
      for (const { kv } of cluster.proposers) {
        await expect.poll(async () => (await kv.get('a')).body, BACK).toMatchObject({ ver: 1, val: 'kept' });
        expect(await kv.get('never')).toMatchObject({ code: 'KeyNotFound' });
      }
    } finally {
      isOver = true;
      await Promise.all(readers);
    }
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 503]));
    for (const answer of answers) if (answer.ok) expect(answer.body).toMatchObject({ ver: 1, val: 'kept' });
    expect(await one?.kv.put('a', 1, 'next')).toMatchObject({ ok: true });
    await expect.poll(async () => (await ready(cluster.proposer(2))).status, BACK).toBe(200);
  });
});

describe('the check', () => {
  it('costs a request for a key that exists nothing: no acceptor is asked who it is', async () => {
    const cluster = await clusterWithIdentities(3);
    const { kv } = cluster.proposer(1);
    await kv.put('a', 0, 0);
    await cluster.proposer(2).kv.put('a', 1, 'by the other one');
    // A greeting by who has no register confirmed yet asks for more.
    for (const acceptor of cluster.acceptors)
      await expect.poll(() => acceptor.ask((redis) => redis.hget('r:a', 'value'))).toContain('by the other one');
    const questions = (command: string): Promise<number[]> =>
      Promise.all(
        cluster.acceptors.map(async (acceptor) => {
          const stats = await acceptor.ask((redis) => redis.info('commandstats'));
          return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
        }),
      );
    const [asked, reads, scripts] = [await questions('get'), await questions('hmget'), await questions('evalsha')];
    for (let ver = 2; ver <= 21; ver += 1) {
      for (const proposer of cluster.proposers) expect(await proposer.kv.get('a')).toMatchObject({ ok: true });
      expect(await cluster.proposer(ver % 2 ? 1 : 2).kv.put('a', ver, ver)).toMatchObject({ ok: true });
    }
    expect(await questions('get')).toEqual(asked);
    for (const [index, count] of (await questions('hmget')).entries()) expect(count).toBeGreaterThan((reads[index] ?? 0) + 20);
    for (const [index, count] of (await questions('evalsha')).entries()) expect(count).toBeGreaterThan((scripts[index] ?? 0) + 20);
    const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
    let absent = 0;
    const askedForOne = async (): Promise<number> => {
      const before = sum(await questions('get'));
      await kv.get(`absent-${(absent += 1)}`);
      return sum(await questions('get')) - before;
    };
    // A read asks two of the three, and the third as well where one of them is late.
    await expect.poll(askedForOne).toBe(2);
  });
});
