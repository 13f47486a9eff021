import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { EMPTY_CONFIGURATION } from '../../src/protocol/configuration.js';
import { acceptorName, type Cluster, type ClusterOptions, type ControlResult, configurationOf } from '../cluster.js';
import { sharedCluster } from '../shared-cluster.js';

const [A, B] = [1, 2].map(acceptorName) as [string, string];

/** Configured by the commands: so acceptors have identities and are greeted. Every proposer has told them its era. */
async function clusterOf(acceptors: string, options: ClusterOptions = {}): Promise<Cluster> {
  const cluster = await sharedCluster({ acceptors: 2, configured: 0, ...options });
  await done(cluster.control('resize', acceptors));
  for (const acceptor of acceptors.split(',')) await toldByAll(cluster, acceptor);
  return cluster;
}

async function done(typed: Promise<ControlResult>): Promise<string> {
  const { code, stdout, stderr } = await typed;
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('error') as string });
  return stdout;
}

/** Proposers tell an acceptor their era as soon as they have it. */
async function toldByAll(cluster: Cluster, acceptor: string): Promise<void> {
  const { era } = await configurationOf(cluster.proposer(1));
  const all = Object.fromEntries(cluster.proposers.map((_, index) => [String(index + 1), String(era)]));
  await expect.poll(() => at(cluster, acceptor, (redis) => redis.hgetall('eras'))).toEqual(all);
}

const at = <Result>(cluster: Cluster, acceptor: string, question: (redis: Redis) => Promise<Result>): Promise<Result> =>
  cluster.acceptor(acceptor === A ? 1 : 2).ask(question);

async function losesItsFolder(cluster: Cluster, number: number): Promise<void> {
  await cluster.proposer(number).end('SIGKILL');
  cluster.proposer(number).store('configuration.json', JSON.stringify(EMPTY_CONFIGURATION));
  await cluster.proposer(number).start();
}

/** A control node that somebody told of the first proposers only. */
const naming = (count: number) => ({ PROPOSERS: Array.from({ length: count }, (_, index) => `proposer-${index + 1}`).join(',') });

/** Nothing changes anywhere, and the message tells all ways out. */
async function refused(cluster: Cluster, known: number, command: string): Promise<void> {
  const running = cluster.proposers.filter(({ isRunning }) => isRunning);
  const before = await Promise.all(running.map(configurationOf));
  const { code, stdout, stderr } = await cluster.controlNaming(naming(known), ...command.split(' '));
  const left = `number ${known + 1} (era ${before[0]?.era}, as it told `;
  expect.soft({ command, code, stdout }).toEqual({ command, code: 1, stdout: '' });
  expect.soft(stderr).toContain(`error: PROPOSERS of this control node leaves a proposer out: ${left}`);
  expect
    .soft(stderr)
    .toMatch(/Nothing was (changed|removed)\. Name it there\. One that is to go is wiped before it is taken out\. One that is /);
  expect.soft(stderr).toContain('is left behind by: ./run-control.sh copy proposer-1 all --force.\n');
  expect(await Promise.all(running.map(configurationOf))).toEqual(before);
}

describe('a control node that is not told of a proposer', () => {
  it('does not lead the others to acceptors that it does not ask: two writes of one version were acknowledged', async () => {
    const cluster = await clusterOf(A);
    await cluster.proposer(1).kv.put('k', 0, 'of both');
    await refused(cluster, 1, `resize ${B}`);
    const answers = await Promise.all(cluster.proposers.map(({ kv }, index) => kv.put('k', 1, index)));
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
  });

  it('takes no era either, by which that one would be of the past: by a rescan, a collection, a wipe, or sets that stand', async () => {
    const cluster = await clusterOf(`${A},${B}`);
    const refusals = [`rescan ${A},${B} 2`, 'collect', 'wipe all', `resize ${A},${B}`, `resize ${A} --dry-run`, `rm-accept all ${B} 1`];
    for (const command of refusals) await refused(cluster, 1, command);
    expect(await done(cluster.controlNaming(naming(1), 'status'))).toMatch(
      /^PROPOSERS of this control node leaves a proposer out: number 2 .* copy proposer-1 all --force\.$/m,
    );
    // Of the control node that knows both, all of it is done.
    await done(cluster.control('rescan', `${A},${B}`, '2'));
    await done(cluster.control('collect'));
    expect(await done(cluster.control('status'))).not.toContain('PROPOSERS');
  });

  it('empties no acceptor that it uses', async () => {
    const cluster = await clusterOf(A);
    await losesItsFolder(cluster, 1);
    const { code, stderr } = await cluster.controlNaming(naming(1), 'wipe-acceptor', A);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/leaves a proposer out: number 2 .*Nothing was removed/) as string,
    });
    expect(await at(cluster, A, (redis) => redis.exists('identity'))).toBe(1);
  });

  it('sees it also where half of a step has left it an era behind', async () => {
    const cluster = await clusterOf(A);
    const present = await configurationOf(cluster.proposer(1));
    expect((await cluster.proposer(1).admin.configure(present.era, { ...present, era: present.era + 1 })).ok).toBe(true);
    const { code, stderr } = await cluster.controlNaming(naming(1), 'resize', B);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(`number 2 (era ${present.era}, as`) as string });
  });

  it('sees it although nobody that it knows has acceptors yet', async () => {
    const cluster = await clusterOf(A);
    const { era } = await configurationOf(cluster.proposer(2));
    await losesItsFolder(cluster, 1);
    for (const command of [`add-accept all ${A} 1`, `resize ${A}`]) {
      const { code, stderr } = await cluster.controlNaming(naming(1), ...command.split(' '));
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(`number 2 (era ${era}, as it told ${A})`) as string });
    }
  });
});

describe('a proposer that goes', () => {
  it('is wiped, and may be left out from then on, also by the next step', async () => {
    const cluster = await clusterOf(A, { proposers: 3 });
    expect(await done(cluster.control('wipe', 'proposer-3'))).toMatch(/^proposer-3: now without acceptors \(era \d+\)/);
    await done(cluster.controlNaming(naming(2), 'resize', `${A},${B}`));
    expect(await done(cluster.controlNaming(naming(2), 'status'))).not.toContain('PROPOSERS');
  });

  it('is wiped twice where the control node was killed before it took the era after', async () => {
    const cluster = await clusterOf(A);
    const { era } = await configurationOf(cluster.proposer(1));
    await done(cluster.control('wipe', 'proposer-2'));
    const wiped = await configurationOf(cluster.proposer(2));
    expect(wiped.era).toBe(era + 4);
    await at(cluster, A, (redis) => redis.hset('eras', '2', wiped.era));
    await refused(cluster, 1, `resize ${B}`);
    await done(cluster.control('wipe', 'proposer-2'));
    await done(cluster.controlNaming(naming(1), 'resize', B));
    const after = await configurationOf(cluster.proposer(1));
    await done(cluster.control('wipe', 'proposer-2'));
    expect((await configurationOf(cluster.proposer(1))).era).toBeLessThanOrEqual(after.era + 2);
  });

  it('is left behind by force once where it is dead, in an era that is past: the sets stay, and it is recorded', async () => {
    const cluster = await clusterOf(A);
    await cluster.proposer(2).end('SIGKILL');
    const before = await configurationOf(cluster.proposer(1));
    await refused(cluster, 1, `resize ${B}`);
    expect(await done(cluster.controlNaming(naming(1), ...'copy proposer-1 all --force'.split(' ')))).toMatch(
      /^FORCED although PROPOSERS of this control node leaves a proposer out: number 2 .*\nproposer-1: already with the sets of proposer-1/,
    );
    const after = await configurationOf(cluster.proposer(1));
    expect(after).toMatchObject({ prepare: before.prepare, accept: before.accept, era: before.era + 2 });
    expect(after.forced).toEqual([
      expect.stringContaining('copy proposer-1 all: PROPOSERS of this control node leaves a proposer out: number 2'),
    ]);
    await done(cluster.controlNaming(naming(1), 'resize', B));
    // It refuses what it is asked when it comes back, since acceptors that it asks have seen a later era.
    await done(cluster.controlNaming(naming(1), ...'copy proposer-1 all --force'.split(' ')));
    expect((await configurationOf(cluster.proposer(1))).forced).toHaveLength(1);
  });

  it('is left behind by force where its era is the later one', async () => {
    const cluster = await clusterOf(A);
    const present = await configurationOf(cluster.proposer(2));
    await cluster.proposer(2).admin.configure(present.era, { ...present, era: present.era + 7 });
    await expect.poll(() => at(cluster, A, (redis) => redis.hget('eras', '2'))).toBe(String(present.era + 7));
    await done(cluster.controlNaming(naming(1), ...'copy proposer-1 all --force'.split(' ')));
    expect((await configurationOf(cluster.proposer(1))).era).toBe(present.era + 9);
    await done(cluster.controlNaming(naming(1), 'resize', B));
  });
});

describe('no objection is made', () => {
  it('to a proposer that lost its folder, or starts anew: its number is the same', async () => {
    const cluster = await clusterOf(A);
    await losesItsFolder(cluster, 2);
    await done(cluster.control('copy', 'proposer-1', 'proposer-2'));
    await done(cluster.control('resize', `${A},${B}`));
  });

  it('to a third proposer that joins by the control node that is told of it; the others are told to name it', async () => {
    const cluster = await clusterOf(A, { proposers: 3 });
    await done(cluster.control('wipe', 'proposer-3'));
    await done(cluster.controlNaming(naming(2), 'resize', `${A},${B}`));
    await done(cluster.control('copy', 'proposer-1', 'proposer-3'));
    await toldByAll(cluster, A);
    await refused(cluster, 2, `resize ${A}`);
    await done(cluster.control('resize', A));
  });

  it('to a proposer in PROPOSERS that does not answer, which a forced step leaves behind', async () => {
    const cluster = await clusterOf(A);
    await cluster.proposer(2).end('SIGKILL');
    const stdout = await done(cluster.control('add-accept', 'all', B, '2', '--force'));
    expect(stdout).toContain('FORCED although proposer-2 cannot be reached');
    expect(stdout).not.toContain('PROPOSERS');
    await done(cluster.controlNaming(naming(1), 'rescan', A, '1'));
  });

  it('where the control node may not read what acceptors were told, which status says', async () => {
    const cluster = await clusterOf(A);
    await at(cluster, A, (redis) => redis.call('ACL', 'SETUSER', 'default', '-hgetall'));
    expect(await done(cluster.control('status'))).toContain(
      `${A}: the control node's user default lacks (~eras +hgetall) to see whether PROPOSERS leaves a proposer out: ACL SETUSER default (~eras +hgetall)`,
    );
    await done(cluster.controlNaming(naming(1), 'add-accept', 'all', B, '2'));
    await at(cluster, A, (redis) => redis.call('ACL', 'SETUSER', 'default', '+@all'));
  });
});
