import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ANSWER_WITHIN_MS, Cluster, configurationOf } from '../cluster.js';
import { expectNothingLost, increment, newTally, type Tally } from '../increments.js';
import type { KeyValueClient } from '../../src/http/client.js';
import type { RedisServer } from '../redis-server.js';

const KEYS = 4;

/** Clients that increment until the task is over. */
async function whileIncrementing(cluster: Cluster, task: (tally: Tally) => Promise<void>): Promise<Tally> {
  const tally = newTally();
  let isOver = false;
  const clients = Array.from({ length: 2 * KEYS }, async (_, index) => {
    const { kv } = cluster.proposers[index % cluster.proposers.length] ?? cluster.proposer(1);
    while (!isOver) {
      if (!(await increment(kv, `counter-${index % KEYS}`, tally))) await sleep(5);
    }
  });
  try {
    await task(tally);
  } finally {
    isOver = true;
    await Promise.all(clients);
  }
  return tally;
}

async function goesOn(tally: Tally): Promise<void> {
  const acknowledged = tally.acknowledged;
  await expect.poll(() => tally.acknowledged, { timeout: 8_000 }).toBeGreaterThan(acknowledged + 20);
}

const clientsOf = ({ proposers }: Cluster): KeyValueClient[] => proposers.map(({ kv }) => kv);
const codesOf = ({ codes }: Tally): string[] => [...codes.keys()];

describe('one acceptor of three', () => {
  it('may be killed, started again and stopped: the clients go on, and see no error but contention', async () => {
    const cluster = await Cluster.forThisTest();
    const tally = await whileIncrementing(cluster, async (soFar) => {
      await goesOn(soFar);
      await cluster.acceptor(1).kill9();
      await goesOn(soFar);
      await cluster.acceptor(1).start();
      await goesOn(soFar);
      cluster.acceptor(2).pause();
      await goesOn(soFar);
      cluster.acceptor(2).resume();
      await goesOn(soFar);
    });
    expect(codesOf(tally)).not.toContain('NetworkError');
    expect(codesOf(tally)).not.toContain('NotConfigured');
    expect(tally.slowestMs).toBeLessThan(ANSWER_WITHIN_MS);
    await expectNothingLost(clientsOf(cluster), tally);
  });

  it('that hangs does not make the memory of a proposer grow', async () => {
    const cluster = await Cluster.forThisTest({ proposers: 1 });
    const proposer = cluster.proposer(1);
    cluster.acceptor(3).pause();
    const value = 'x'.repeat(32 * 1024);
    const writes = async (count: number): Promise<void> => {
      for (let index = 0; index < count; index += 20) {
        await Promise.all(Array.from({ length: 20 }, (_, key) => proposer.kv.put(`key-${key}`, index / 20 + offset, value)));
      }
    };
    let offset = 0;
    await writes(400);
    const before = proposer.memoryMib;
    offset = 20;
    await writes(4_800); // 150 MiB to the acceptor that hangs, which kept are some 240: far more than a heap grows where the machine is late
    expect(proposer.memoryMib - before).toBeLessThan(120);
  });
});

describe('two acceptors of three', () => {
  const breakages = [
    { how: 'killed', halt: (acceptor: RedisServer) => acceptor.kill9(), mend: (acceptor: RedisServer) => acceptor.start() },
    { how: 'stopped', halt: async (acceptor: RedisServer) => acceptor.pause(), mend: async (acceptor: RedisServer) => acceptor.resume() },
  ];

  it.each(breakages)('$how: every answer comes within 3 s, 503 or 504, a read never 504; then work goes on', async ({ halt, mend }) => {
    const cluster = await Cluster.forThisTest();
    const known = await cluster.proposer(1).kv.put('known', 0, 'before');
    expect(known).toMatchObject({ ok: true });
    await Promise.all([halt(cluster.acceptor(2)), halt(cluster.acceptor(3))]);

    const requests = cluster.proposers.flatMap(({ kv, impatient }) =>
      [kv, impatient].flatMap((client) => [
        ...Array.from({ length: 8 }, () => () => client.put('known', 1, 'after')),
        () => client.put('new', 0, 1),
        () => client.get('known'),
        () => client.get('new'),
      ]),
    );
    for (let round = 0; round < 2; round += 1) {
      await Promise.all(
        requests.map(async (request, index) => {
          const startedAt = performance.now();
          const answer = await request();
          expect(performance.now() - startedAt).toBeLessThan(ANSWER_WITHIN_MS);
          const isRead = index % 11 > 8;
          expect(isRead ? [503] : [503, 504]).toContain(answer.status);
          if (!answer.ok) expect(answer.code).toBe(answer.status === 504 ? 'CommitError' : answer.code);
        }),
      );
    }

    await Promise.all([mend(cluster.acceptor(2)), mend(cluster.acceptor(3))]);
    for (const { kv } of cluster.proposers) {
      await expect.poll(async () => (await kv.get('known')).ok, { timeout: 8_000 }).toBe(true);
    }
    // One of the writes that were answered with 504 may take effect between a read and the next write: then it is read again.
    const { kv } = cluster.proposer(2);
    const writeLater = async (): Promise<boolean> => {
      const read = await kv.get('known');
      return read.ok && (await kv.put('known', read.body.ver, 'later')).ok;
    };
    await expect.poll(writeLater, { timeout: 8_000 }).toBe(true);
    const [one, two] = await Promise.all(cluster.proposers.map((proposer) => proposer.kv.get('known')));
    expect(one).toMatchObject({ ok: true, body: { val: 'later' } });
    expect(two).toEqual(one);
  });
});

describe('a proposer', () => {
  it('killed with SIGKILL in the middle of writes and started again lost no acknowledged write, and its versions go on', async () => {
    const cluster = await Cluster.forThisTest();
    const tally = await whileIncrementing(cluster, async (soFar) => {
      for (let round = 0; round < 3; round += 1) {
        await goesOn(soFar);
        await cluster.proposer(1).end('SIGKILL');
        await goesOn(soFar);
        await cluster.proposer(1).start();
      }
      await goesOn(soFar);
    });
    await expectNothingLost(clientsOf(cluster), tally);
    const read = await cluster.proposer(1).kv.get('counter-0');
    if (!read.ok) throw new Error(read.message);
    expect(await cluster.proposer(1).kv.put('counter-0', read.body.ver, 'next')).toMatchObject({ body: { ver: read.body.ver + 1 } });
  });
});

async function terminate(acceptor: RedisServer): Promise<void> {
  if (acceptor.pid !== undefined) process.kill(acceptor.pid, 'SIGTERM');
  await expect.poll(() => acceptor.pid, { timeout: 8_000 }).toBeUndefined();
}

describe('the whole cluster', () => {
  it.each([
    ['SIGTERM', false],
    ['SIGKILL', true],
  ] as const)('ended with %s and started again has its data and its configuration', async (signal, abruptly) => {
    // prettier-ignore
    const cluster = await Cluster.forThisTest();
    const tally = await whileIncrementing(cluster, goesOn);
    const configuration = await configurationOf(cluster.proposer(1));
    await Promise.all(cluster.proposers.map((proposer) => proposer.end(signal)));
    await Promise.all(cluster.acceptors.map((acceptor) => (abruptly ? acceptor.kill9() : terminate(acceptor))));
    await Promise.all(cluster.acceptors.map((acceptor) => acceptor.start()));
    await Promise.all(cluster.proposers.map((proposer) => proposer.start()));
    expect(await configurationOf(cluster.proposer(2))).toEqual(configuration);
    await expectNothingLost(clientsOf(cluster), tally);
    expect(tally.acknowledged).toBeGreaterThan(20);
    await whileIncrementing(cluster, goesOn);
  });
});
