import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Nodes } from '../../node-control/nodes/nodes.js';
import { rescan, type RescanManner } from '../../node-control/commands/rescan.js';
import { overNetwork } from '../../node-control/nodes/connections.js';
import { RescanFile, type RescanNotes } from '../../node-control/state/rescan-notes.js';
import { readAddresses } from '../../src/node/addresses.js';
import type { QuorumSet } from '../../src/protocol/quorum.js';
import { readLimits } from '../../src/store/limits.js';
import { RedisAdmin } from '../../src/redis/redis-admin.js';
import { acceptorName, type Cluster, configurationOf, firstAcceptors, majorities, redisOf, UNHURRIED } from '../cluster.js';
import { RedisServer } from '../redis-server.js';
import { eraOf, sharedCluster } from '../shared-cluster.js';

const [one, two] = [acceptorName(1), acceptorName(2)];
const IMPATIENT: Partial<RescanManner> = { pausesMs: [100], troublePausesMs: [100, 100, 100] };

/** A control node, and the keys of every request for a rescan that it makes. */
function controlOf(cluster: Cluster, notes?: RescanNotes): { control: Nodes; asked: string[][] } {
  const names = { proposers: cluster.proposers.map(({ name }) => name), acceptors: cluster.acceptors.map((_, at) => acceptorName(at + 1)) };
  const network = overNetwork(readAddresses(cluster.addressMap), undefined, undefined, readLimits(UNHURRIED));
  const control = new Nodes(names.proposers, names.acceptors, network, undefined, { notes });
  onTestFinished(() => control.close());
  const asked: string[][] = [];
  for (const { admin } of control.members) {
    const original = admin.rescan.bind(admin);
    vi.spyOn(admin, 'rescan').mockImplementation((era, keys) => {
      asked.push([...keys]);
      return original(era, keys);
    });
  }
  return { control, asked };
}

function run(control: Nodes, acceptors: readonly string[], required: number, limits: Partial<RescanManner> = {}): Promise<string[]> {
  return rescan(control, acceptors, required, { show: () => undefined }, { ...IMPATIENT, ...limits });
}

/** Registers as an earlier era left them, straight into an acceptor. */
async function fill(redis: Redis, keys: readonly string[]): Promise<void> {
  const pipeline = redis.pipeline();
  for (const key of keys) pipeline.hset(`r:${key}`, 'promise', '0.2.1.1', 'ballot', '0.1.1.1', 'value', '{"ver":1,"val":1,"ops":["x"]}');
  await pipeline.exec();
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `key-${index}`);

function notesOfThisTest(): RescanNotes {
  const folder = mkdtempSync(join(tmpdir(), 'control-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return new RescanFile(join(folder, 'not there yet'));
}

describe('the keys of a rescan', () => {
  it('go through once, though several acceptors hold them', async () => {
    const cluster = await sharedCluster({ acceptors: 2, env: UNHURRIED });
    await fill(redisOf(cluster, 1), numbered(1_200));
    await fill(redisOf(cluster, 2), numbered(1_300));
    const { control, asked } = controlOf(cluster);
    expect(await run(control, [one, two], 2)).toEqual([`1300 keys rescanned (era ${await eraOf(cluster)})`]);
    expect(asked.flat().sort()).toEqual(numbered(1_300).sort());
  });

  it('go through twice rather than not at all where memory is short, which is said', async () => {
    const cluster = await sharedCluster({ acceptors: 2, env: UNHURRIED });
    await fill(redisOf(cluster, 1), ['a', 'b', 'c']);
    await fill(redisOf(cluster, 2), ['b', 'c', 'd', 'e']);
    const { control, asked } = controlOf(cluster);
    const lines = await run(control, [one, two], 2, { memoryBytes: 60 });
    expect(lines).toEqual([
      'some keys went through twice: there were more than fit into memory, or a listing was begun again',
      expect.stringMatching(/^[67] keys rescanned/),
    ]);
    expect([...new Set(asked.flat())].sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('of the only acceptor that is listed take no memory', async () => {
    const cluster = await sharedCluster({ acceptors: 2, env: UNHURRIED });
    await fill(redisOf(cluster, 1), numbered(1_200));
    const { control, asked } = controlOf(cluster);
    expect(await run(control, [one], 1, { memoryBytes: 0 })).toEqual([`1200 keys rescanned (era ${await eraOf(cluster)})`]);
    expect(asked.flat()).toHaveLength(1_200);
  });

  it('are shared out among the proposers, in batches', async () => {
    const cluster = await sharedCluster({ acceptors: 2, configured: 1, env: UNHURRIED });
    await fill(redisOf(cluster, 1), numbered(2_000));
    const { control, asked } = controlOf(cluster);
    await run(control, [one], 1, { batchKeys: 100 });
    expect(asked.map((keys) => keys.length)).toEqual(Array.from({ length: 20 }, () => 100));
    for (const { admin } of control.members) expect(vi.mocked(admin.rescan).mock.calls.length).toBeGreaterThan(0);
  });

  it('are not listed over two lives of an acceptor, which orders them anew', async () => {
    const server = await RedisServer.start();
    onTestFinished(() => server.stop());
    const redis = new Redis(server.port, '127.0.0.1');
    onTestFinished(() => redis.disconnect());
    await fill(redis, numbered(3_000));
    const admin = new RedisAdmin(server.address, 2_000);
    onTestFinished(() => admin.close());
    await admin.connect();
    const pages = admin.keys();
    await pages.next();
    await server.kill9();
    await server.start();
    // Long enough to connect again.
    await sleep(300);
    await expect(pages.next()).rejects.toThrow(/closed/);
  });
});

describe('a key that fails', () => {
  it('is tried again, and done', async () => {
    const cluster = await sharedCluster({ acceptors: 2 });
    await fill(redisOf(cluster, 1), ['a', 'b', 'c', 'broken']);
    await redisOf(cluster, 2).set('r:broken', 'of another type than a register');
    const { control, asked } = controlOf(cluster);
    const mended = vi.waitFor(() => expect(asked.flat().filter((key) => key === 'broken').length).toBeGreaterThan(2), 10_000);
    void mended.then(() => redisOf(cluster, 2).del('r:broken'));
    expect(await run(control, [one], 1, { pausesMs: [100, 500, 500] })).toEqual([`4 keys rescanned (era ${await eraOf(cluster)})`]);
    expect(asked.flat().filter((key) => key === 'a')).toHaveLength(1);
    expect(await redisOf(cluster, 2).hexists('r:broken', 'value')).toBe(1);
  });

  it('is all that the next rescan does, unless an era changed or other acceptors are listed', async () => {
    const cluster = await sharedCluster({ acceptors: 2 });
    await fill(redisOf(cluster, 1), ['a', 'b', 'broken']);
    await redisOf(cluster, 2).set('r:broken', 'of another type than a register');
    const era = await eraOf(cluster);
    const notes = notesOfThisTest();
    const first = controlOf(cluster, notes);
    const undone = /^1 of 3 keys failed\. Run the same rescan again: it does only what is left\n {2}"broken": /;
    await expect(run(first.control, [one], 1)).rejects.toThrow(undone);

    const other = controlOf(cluster, notes);
    await expect(run(other.control, [one, two], 2)).rejects.toThrow(/^1 of 3 keys failed/);
    expect(other.asked.flat()).toEqual(expect.arrayContaining(['a', 'b', 'broken']));
    await expect(run(first.control, [one], 1)).rejects.toThrow(undone);

    const again = controlOf(cluster, notes);
    await expect(run(again.control, [one], 1)).rejects.toThrow(/^1 of 1 keys failed/);
    await redisOf(cluster, 2).del('r:broken');
    expect(await run(again.control, [one], 1)).toEqual([
      'only the 1 key that the rescan before this one left',
      `1 key rescanned (era ${era})`,
    ]);
    expect(new Set(again.asked.flat())).toEqual(new Set(['broken']));
    // What is done is forgotten.
    expect(await run(again.control, [one], 1)).toEqual([`3 keys rescanned (era ${era})`]);

    await redisOf(cluster, 2).del('r:broken');
    await redisOf(cluster, 2).set('r:broken', 'of another type than a register');
    await expect(run(again.control, [one], 1)).rejects.toThrow(undone);
    await redisOf(cluster, 2).del('r:broken');
    await cluster.configure(majorities(2));
    expect(await run(again.control, [one], 1)).toEqual([
      'the rescan before this one left 1 key, but a configuration changed since, so all keys were rescanned',
      `3 keys rescanned (era ${era + 1})`,
    ]);
  });

  it('is every one that a proposer was asked for and does not tell of', async () => {
    const cluster = await sharedCluster({ acceptors: 2, configured: 1, env: UNHURRIED });
    await fill(redisOf(cluster, 1), ['a', 'b']);
    const { control } = controlOf(cluster);
    for (const { admin } of control.members) {
      vi.mocked(admin.rescan).mockImplementation(async () => ({ ok: true, status: 200, body: { done: 0, failed: [] } }));
    }
    await expect(run(control, [one], 1, { batchKeys: 2 })).rejects.toThrow(
      /^2 of 2 keys failed.*"a": proposer-\d did 0 keys and failed at 0, of 1 /s,
    );
  });

  it('ends the rescan early where too many fail', async () => {
    const cluster = await sharedCluster({ acceptors: 2, configured: 1 });
    await fill(redisOf(cluster, 1), numbered(1_000));
    await cluster.configure({ prepare: firstAcceptors(1), accept: firstAcceptors(2, 2) });
    await cluster.acceptor(2).kill9();
    const { control, asked } = controlOf(cluster);
    await expect(run(control, [one], 1, { failuresMax: 150, batchKeys: 100 })).rejects.toThrow(
      /^(more than 150 keys failed|no proposer gets)/,
    );
    expect(asked.length).toBeLessThan(12);
  });
});

describe('a proposer that is killed during a rescan', () => {
  it('hands its keys to the other, and may be back at the end', async () => {
    const cluster = await sharedCluster({ acceptors: 2, configured: 1, env: UNHURRIED });
    const era = await eraOf(cluster);
    await fill(redisOf(cluster, 1), numbered(1_000));
    const { control } = controlOf(cluster);
    killWithItsFirstBatch(cluster, control, () => void cluster.proposer(2).start());
    expect(await run(control, [one], 1, { batchKeys: 50, pausesMs: [500, 1_000, 2_000, 4_000] })).toEqual([
      `1000 keys rescanned (era ${era})`,
    ]);
    const ballots = await redisOf(cluster, 1).eval(
      "local n = 0; for _, k in ipairs(redis.call('KEYS', 'r:*')) do if redis.call('HGET', k, 'ballot'):find('^' .. ARGV[1] .. '%.') then n = n + 1 end end; return n",
      0,
      era,
    );
    expect(ballots).toBe(1_000);
  });

  it('makes it prove nothing where it stays away; the next one has nothing left to do', async () => {
    const cluster = await sharedCluster({ acceptors: 2, configured: 1, env: UNHURRIED });
    await fill(redisOf(cluster, 1), numbered(300));
    const { control, asked } = controlOf(cluster, notesOfThisTest());
    killWithItsFirstBatch(cluster, control, () => undefined);
    await expect(run(control, [one], 1, { batchKeys: 50 })).rejects.toThrow(
      'proposer-2 cannot be asked after the rescan, so it proves nothing. Run the same rescan again: it does only what is left',
    );
    await cluster.proposer(2).start();
    asked.length = 0;
    expect(await run(control, [one], 1)).toEqual([
      'only the 0 keys that the rescan before this one left',
      `0 keys rescanned (era ${await eraOf(cluster)})`,
    ]);
    expect(asked).toEqual([]);
  });

  function killWithItsFirstBatch(cluster: Cluster, { members }: Nodes, then: () => void): void {
    const admin = members[1]?.admin;
    if (!admin) throw new Error('there is no second proposer');
    const original = admin.rescan.bind(admin);
    vi.spyOn(admin, 'rescan').mockImplementationOnce(async (era, keys) => {
      await cluster.proposer(2).end('SIGKILL');
      then();
      return original(era, keys);
    });
  }
});

describe('what a rescan proves', () => {
  // The proposers remember how far an acceptor of this name had counted: the next test's have others.
  let number = 0;

  async function growing(): Promise<{
    cluster: Cluster;
    control: Nodes;
    era: number;
    first: string;
    second: string;
    resting: QuorumSet[];
  }> {
    const cluster = await sharedCluster({ acceptors: 2, configured: 1 });
    const era = (await eraOf(cluster)) + 1;
    number += 1;
    const [first, second] = [`${one}#${number}`, `${two}#${number}`];
    const resting = [
      { nodes: [first], quorum: 1 },
      { nodes: [first, second], quorum: 2 },
    ];
    await redisOf(cluster, 1).set('identity', first);
    await redisOf(cluster, 2).set('identity', second);
    await fill(redisOf(cluster, 1), ['a']);
    const identities = { [one]: first, [two]: second };
    for (const { admin } of cluster.proposers) {
      await admin.configure(era - 1, { era, prepare: firstAcceptors(1), accept: firstAcceptors(2, 2), identities, resting });
    }
    return { cluster, control: controlOf(cluster).control, era, first, second, resting };
  }
  const restingOn = async (cluster: Cluster): Promise<unknown> => (await configurationOf(cluster.proposer(1))).resting;

  it('is that nothing rests on earlier sets any more, where it listed enough', async () => {
    const { cluster, control, era, resting } = await growing();
    expect(await run(control, [one, two], 2)).toEqual([`1 key rescanned (era ${era})`]);
    expect(await restingOn(cluster)).toEqual([resting[1]]);
  });

  it('is nothing where the listing could have missed a value: it takes nothing off, and says so', async () => {
    const { cluster, control, era, first, resting } = await growing();
    expect(await run(control, [one, two], 1)).toEqual([
      `a rescan is still needed for what rests on 1 of ${first}: 1 of these acceptors may hold none of it`,
      `1 key rescanned (era ${era})`,
    ]);
    await cluster.acceptor(1).kill9();
    await expect(run(control, [one, two], 2)).rejects.toThrow(/^2 of 2 acceptors must list .* Nothing was rescanned$/);
    expect(await restingOn(cluster)).toEqual(resting);
  });

  it('is nothing where an acceptor breaks off in the middle of its keys', async () => {
    const { cluster, control, resting } = await growing();
    await fill(redisOf(cluster, 1), numbered(5_000));
    const original = control.withAcceptor.bind(control);
    vi.spyOn(control, 'withAcceptor').mockImplementation((name, task) =>
      original(name, (admin) => {
        vi.spyOn(admin, 'keys').mockImplementation(async function* () {
          yield ['a'];
          throw new Error('broke off');
        });
        return task(admin);
      }),
    );
    await expect(run(control, [one], 1)).rejects.toThrow(
      '1 of 1 acceptors must list their keys; failed: acceptor-1:6379 (broke off). So this rescan counts as not done. Run it again',
    );
    expect(await restingOn(cluster)).toEqual(resting);
  });

  it('is whole where the listing is begun again, which is said', async () => {
    const { cluster, control } = await growing();
    const keys = numbered(5_000);
    await fill(redisOf(cluster, 1), keys);
    const original = control.withAcceptor.bind(control);
    let hasBrokenOff = false;
    vi.spyOn(control, 'withAcceptor').mockImplementation((name, task) =>
      original(name, (admin) => {
        if (!hasBrokenOff) {
          const list = admin.keys.bind(admin);
          vi.spyOn(admin, 'keys').mockImplementationOnce(async function* () {
            for await (const page of list()) {
              yield page;
              hasBrokenOff = true;
              throw new Error('broke off');
            }
          });
        }
        return task(admin);
      }),
    );
    expect(await run(control, [one], 1)).toEqual([
      'some keys went through twice: there were more than fit into memory, or a listing was begun again',
      expect.stringMatching(/^\d+ keys rescanned/),
    ]);
    const held = await redisOf(cluster, 2).keys('r:*');
    expect(held.map((register) => register.slice(2)).sort()).toEqual(expect.arrayContaining([...keys].sort()));
  });

  it('does not count an acceptor that is not who the configurations say', async () => {
    const { cluster, control, resting } = await growing();
    await redisOf(cluster, 1).set('identity', 'acceptor-1:6379#another');
    await expect(run(control, [one, two], 2)).rejects.toThrow(
      '2 of 2 acceptors must list their keys; failed: acceptor-1:6379 (it lost its data or is another acceptor). Nothing was rescanned',
    );
    expect(await restingOn(cluster)).toEqual(resting);
  });

  it('does not count an acceptor that is wiped while it lists its keys', async () => {
    const { cluster, control } = await growing();
    await fill(redisOf(cluster, 1), numbered(5_000));
    const admin = control.members[0]?.admin;
    if (!admin) throw new Error('there is no proposer');
    vi.spyOn(admin, 'rescan').mockImplementation(async (_era, keys) => {
      await redisOf(cluster, 1).del('identity');
      return { ok: true, status: 200, body: { done: keys.length, failed: [] } };
    });
    await expect(run(control, [one], 1, { byRounds: true })).rejects.toThrow(
      /failed: acceptor-1:6379 \(it lost its data or is another acceptor\)\. So this/,
    );
  });

  it('counts an acceptor that no proposer lists any more by its own identity', async () => {
    const { cluster, control, era, first, second } = await growing();
    const left = [{ nodes: [second], quorum: 1 }];
    const sets = { prepare: firstAcceptors(1), accept: firstAcceptors(1), identities: { [one]: first } };
    for (const { admin } of cluster.proposers) await admin.configure(era, { era: era + 1, ...sets, resting: left });
    await redisOf(cluster, 2).set('identity', `${two}#another`);
    expect((await run(control, [one, two], 2))[0]).toMatch(new RegExp(`^a rescan is still needed for what rests on 1 of ${second}`));
    await redisOf(cluster, 2).set('identity', second);
    await run(control, [one, two], 2);
    expect(await restingOn(cluster)).toEqual([]);
  });
});
