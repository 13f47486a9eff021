import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Nodes } from '../../node-control/nodes/nodes.js';
import { rescan } from '../../node-control/commands/rescan.js';
import { overNetwork } from '../../node-control/nodes/connections.js';
import { Progress } from '../../node-control/terminal/progress.js';
import { readAddresses } from '../../src/node/addresses.js';
import { acceptorName, Cluster, configurationOf, firstAcceptors, majorities, redisOf, UNHURRIED } from '../cluster.js';
import { eraOf, sharedCluster } from '../shared-cluster.js';

const AWKWARD_KEYS = ['*', 'a/b', ' ', '😀', '__proto__', 'a\u0000b', 'r:r:x', 'k'.repeat(512)];

async function withKeys(cluster: Cluster, keys: readonly string[]): Promise<void> {
  for (const [index, key] of keys.entries()) {
    const { kv } = cluster.proposers[index % cluster.proposers.length] ?? cluster.proposer(1);
    expect(await kv.put(key, 0, key)).toMatchObject({ ok: true });
  }
}

const both = `${acceptorName(1)},${acceptorName(2)}`;

describe('rescan', () => {
  it('brings every key of the union to the new acceptor, also keys with strange names and keys with a promise only', async () => {
    const cluster = await sharedCluster({ acceptors: 2, configured: 1, env: UNHURRIED });
    await withKeys(cluster, AWKWARD_KEYS);
    const [one, two] = [redisOf(cluster, 1), redisOf(cluster, 2)];
    await one.hset('r:promised', 'promise', '1.70.2.1');
    await two.hset('r:only on the second', 'promise', '1.5.1.1', 'ballot', '1.4.1.1', 'value', '{"ver":1,"val":"found","ops":["x"]}');
    await one.set('not a register', 'x');
    const { era } = await cluster.configure(majorities(2));

    const count = AWKWARD_KEYS.length + 2;
    expect(await cluster.control('rescan', both, '2')).toEqual({ code: 0, stdout: `${count} keys rescanned (era ${era})\n`, stderr: '' });
    for (const redis of [one, two]) {
      expect(await redis.keys('r:*')).toHaveLength(count);
      for (const key of [...AWKWARD_KEYS, 'promised', 'only on the second']) {
        const [ballot, value] = await redis.hmget(`r:${key}`, 'ballot', 'value');
        expect([key, ballot]).toEqual([key, expect.stringMatching(new RegExp(`^${era}\\.`))]);
        expect(value).toBe(key === 'promised' ? '' : await one.hget(`r:${key}`, 'value'));
      }
    }
    expect(await cluster.proposer(2).kv.get('promised')).toMatchObject({ code: 'KeyNotFound' });
    for (const key of AWKWARD_KEYS) expect(await cluster.proposer(1).kv.get(key)).toMatchObject({ body: { ver: 1, val: key } });
  });

  it('runs a full round for each key, although the proposer holds a promise for it and every acceptor the value', async () => {
    const cluster = await Cluster.forThisTest({ acceptors: 1, proposers: 1 });
    await withKeys(cluster, ['a']);
    const ballotOf = async (): Promise<number> => Number((await redisOf(cluster, 1).hget('r:a', 'ballot'))?.split('.')[1]);
    const written = await ballotOf();
    await cluster.control('rescan', acceptorName(1), '1');
    // The write promised the next ballot along with its accept: a round that used it would have that one.
    expect(await ballotOf()).toBeGreaterThan(written + 1);
  });

  it('takes several batches for many keys, and counts each key once', async () => {
    const cluster = await sharedCluster({ acceptors: 2, configured: 1, env: UNHURRIED });
    const keys = Array.from({ length: 1_100 }, (_, index) => `key-${index}`);
    const rest = keys.values();
    const writer = async (): Promise<void> => {
      for (const key of rest) expect(await cluster.proposer(1).kv.put(key, 0, 1)).toMatchObject({ status: 201 });
    };
    await Promise.all(Array.from({ length: 20 }, writer));
    const { era } = await cluster.configure(majorities(2));
    expect(await cluster.control('rescan', both, '2')).toMatchObject({ code: 0, stdout: `1100 keys rescanned (era ${era})\n` });
    expect(await redisOf(cluster, 2).dbsize()).toBe(1_100);
  });

  it('fails where fewer acceptors than required list their keys, killed or stopped, and names those that do not', async () => {
    const cluster = await Cluster.forThisTest({ acceptors: 3 });
    await withKeys(cluster, ['a', 'b']);
    await cluster.acceptor(2).kill9();
    const missing = await cluster.control('rescan', both, '2');
    expect(missing).toMatchObject({ code: 1, stdout: '' });
    expect(missing.stderr).toMatch(
      /^error: 2 of 2 acceptors must list their keys; failed: acceptor-2:6379 \(it does not answer\)\. Nothing was rescanned\.\n$/,
    );
    const enough = await cluster.control('rescan', both, '1');
    expect(enough.code).toBe(0);
    expect(enough.stdout).toMatch(/^not listed: acceptor-2:6379 \(.+\)\n2 keys rescanned \(era 1\)\n$/);
    await cluster.acceptor(2).start();
    cluster.acceptor(2).pause();
    const hanging = await cluster.control('rescan', both, '2');
    expect(hanging.code).toBe(1);
    expect(hanging.stderr).toMatch(/failed: acceptor-2:6379/);
  });

  it('fails where a key could not be done, names it, and does the others', async () => {
    const cluster = await sharedCluster({ acceptors: 2, configured: 1 });
    await withKeys(cluster, ['a', 'b']);
    await cluster.configure({ prepare: firstAcceptors(1), accept: firstAcceptors(2, 2) });
    await redisOf(cluster, 1).hset('r:broken', 'promise', '1.1.1.1');
    await redisOf(cluster, 2).set('r:broken', 'of another type than a register');
    const { code, stdout, stderr } = await cluster.control('rescan', acceptorName(1), '1');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^(?:3 of about 3 keys[^\n]*\n)?error: 1 of 3 keys failed\. Run the rescan again\n {2}"broken": [01] of 2 acceptors accepted[^\n]*\n$/,
    );
    expect(await redisOf(cluster, 2).hexists('r:a', 'value')).toBe(1);
    await redisOf(cluster, 2).del('r:broken');
    expect((await cluster.control('rescan', acceptorName(1), '1')).code).toBe(0);
  });

  it('fails where the proposers have no acceptors, and where they differ', async () => {
    const cluster = await sharedCluster({ acceptors: 2, configured: 0 });
    const bare = await cluster.control('rescan', both, '1');
    expect([bare.code, bare.stderr]).toEqual([1, expect.stringMatching(/no proposer is configured\. .*add-accept/)]);
    const { era } = await cluster.configure(majorities(1));
    await cluster.proposer(2).admin.configure(era, { era: era + 1, ...majorities(2) });
    const split = await cluster.control('rescan', both, '1');
    expect([split.code, split.stderr]).toEqual([1, expect.stringMatching(/the proposers differ/)]);
    expect(split.stderr).toMatch(/\.\/run-control\.sh copy proposer-2 all; where that is refused: \.\/run-control\.sh copy proposer-1 all/);
  });

  it.each([
    ['0 required', [both, '0'], 1, /REQUIRED must be 1 to 2, the number of acceptors listed, not 0/],
    ['more required than listed', [both, '3'], 1, /REQUIRED must be 1 to 2/],
    ['an unknown acceptor', [`${acceptorName(1)},acceptor-9:6379`, '1'], 1, /no acceptor "acceptor-9:6379"/],
    ['an acceptor listed twice', [`${acceptorName(1)},${acceptorName(1)}`, '1'], 2, /each once/],
    ['an empty name', [`${acceptorName(1)},`, '1'], 2, /names with commas/],
    ['something required that is no number', [both, 'all'], 2, /whole number/],
    ['nothing required', [both], 2, /missing required argument 'REQUIRED'/],
  ])('refuses %s', async (_, args, exitCode, message) => {
    const cluster = await sharedCluster({ acceptors: 2 });
    const { code, stdout, stderr } = await cluster.control('rescan', ...args);
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' });
    expect(stderr).toMatch(message);
  });
});

describe('a control node that was killed in its last writes', () => {
  it('leaves lists that differ beside sets that agree: the rescan first gives all what any of them knows', async () => {
    const cluster = await sharedCluster({ acceptors: 2, configured: 1 });
    await withKeys(cluster, ['a']);
    const era = await eraOf(cluster);
    const sets = majorities(2);
    const [rests, mayRest] = [{ nodes: [acceptorName(1)], quorum: 1 }, sets.accept];
    await cluster.proposer(1).admin.configure(era, { era: era + 2, ...sets, resting: [rests, mayRest] });
    await cluster.proposer(2).admin.configure(era, { era: era + 1, ...sets, resting: [mayRest], forced: ['a step that was forced'] });
    // A listing of the second acceptor alone could miss what rests on the first one.
    const listed = await cluster.control('rescan', acceptorName(2), '1');
    expect(listed).toMatchObject({ code: 0, stderr: '' });
    expect(listed.stdout).toMatch(/^a rescan is still needed for what rests on 1 of acceptor-1:6379: .*\n0 keys rescanned \(era \d+\)\n$/);
    const settled = await configurationOf(cluster.proposer(1));
    expect(settled).toEqual({ era: era + 4, ...sets, identities: {}, resting: [rests, mayRest], forced: ['a step that was forced'] });
    expect(await configurationOf(cluster.proposer(2))).toEqual(settled);
  });
});

describe('a configuration that changes during a rescan', () => {
  it('makes it fail, wherever the change falls', async () => {
    const cluster = await sharedCluster({ acceptors: 2, env: UNHURRIED });
    const keys = Array.from({ length: 600 }, (_, index) => `key-${index}`);
    const rest = keys.entries();
    const writer = async (): Promise<void> => {
      for (const [index, key] of rest) await cluster.proposer(1 + (index % 2)).kv.put(key, 0, 1);
    };
    await Promise.all(Array.from({ length: 20 }, writer));
    let isOver = false;
    const rescanned = cluster.control('rescan', both, '2').finally(() => (isOver = true));
    const sets = majorities(2);
    // Set by a callback.
    while (!(isOver as boolean)) await cluster.configure(sets);
    const { code, stdout, stderr } = await rescanned;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^error: (the proposers differ|proposer-\d refused: the configuration is of era|a configuration changed)/);
  });

  it('makes it fail, also after the last key was done', async () => {
    const cluster = await sharedCluster({ acceptors: 2, configured: 1 });
    await withKeys(cluster, ['a']);
    const era = await eraOf(cluster);
    const proposers = cluster.proposers.map(({ name }) => name);
    const control = new Nodes(proposers, [acceptorName(1)], overNetwork(readAddresses(cluster.addressMap)));
    onTestFinished(() => control.close());
    for (const { admin } of control.members) {
      const original = admin.rescan.bind(admin);
      vi.spyOn(admin, 'rescan').mockImplementation(async (asked, keys) => {
        const answer = await original(asked, keys);
        await cluster.configure(majorities(1));
        return answer;
      });
    }
    await expect(rescan(control, [acceptorName(1)], 1, new Progress(process.stderr))).rejects.toThrow(
      /a configuration changed during the rescan/,
    );
    expect(await eraOf(cluster)).toBe(era + 1);
  });
});
