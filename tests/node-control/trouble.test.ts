import { describe, expect, it } from 'vitest';
import { acceptorName, Cluster, configurationOf, firstAcceptors, majorities } from '../cluster.js';
import { eraOf, sharedCluster } from '../shared-cluster.js';
import type { Configuration } from '../../src/protocol/configuration.js';

const configurations = (cluster: Cluster): Promise<Configuration[]> => Promise.all(cluster.proposers.map(configurationOf));

describe('with a proposer down', () => {
  it.each([1, 2])('(proposer-%i) every step names it, exits 1, and changes nothing on the other', async (down) => {
    const cluster = await sharedCluster({ configured: 2 });
    const up = cluster.proposer(3 - down);
    const before = await configurationOf(up);
    await cluster.proposer(down).end('SIGKILL');
    for (const args of [
      ['add-accept', 'all', acceptorName(3), '2'],
      ['rm-prepare', up.name, acceptorName(2), '1'],
      ['wipe', 'all'],
      ['rescan', acceptorName(1), '1'],
    ]) {
      const { code, stdout, stderr } = await cluster.control(...args);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(new RegExp(`^error: proposer-${down} cannot be reached\\. .*run the command again\\.\\n$`));
    }
    expect(await configurationOf(up)).toEqual(before);
    expect(await cluster.control('dump')).toMatchObject({ code: 1, stderr: `error: proposer-${down} cannot be reached.\n` });
    expect(await cluster.control('dump', up.name)).toMatchObject({ code: 0, stderr: '' });
    const status = await cluster.control('status');
    expect(status).toMatchObject({ code: 1, stderr: `error: proposer-${down} cannot be reached.\n` });
    expect(status.stdout).toMatch(new RegExp(`^proposer-${down} +unreachable`, 'm'));
    expect(status.stdout).toMatch(new RegExp(`^${up.name} +reachable`, 'm'));

    await cluster.proposer(down).start();
    expect((await cluster.control('add-accept', 'all', acceptorName(3), '2')).code).toBe(0);
    expect((await configurations(cluster)).map(({ accept }) => accept)).toEqual([firstAcceptors(3), firstAcceptors(3)]);
  });
});

describe('status', () => {
  it('shows an acceptor that was killed and one that hangs as unreachable, within a bounded time', async () => {
    const cluster = await sharedCluster();
    await cluster.acceptor(2).kill9();
    cluster.acceptor(3).pause();
    const startedAt = performance.now();
    const { code, stdout } = await cluster.control('status');
    // Two waits of 2 s for the one that hangs, and the start of a program on a busy machine.
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^acceptor-1:6379 +reachable +- +listed +listed +0$/m);
    expect(stdout).toMatch(/^acceptor-2:6379 +unreachable +- +listed +listed +\?$/m);
    expect(stdout).toMatch(/^acceptor-3:6379 +unreachable +- +listed +listed +\?$/m);
    // Each by the word of fault.sh that mends it.
    expect(stdout).toMatch(
      /^No quorum answers\. One of these is enough: \.\/fault\.sh start acceptor-2; \.\/fault\.sh resume acceptor-3$/m,
    );
  });

  it('warns of two proposers with one number', async () => {
    const cluster = await Cluster.forThisTest({ acceptors: 1, ids: [7, 7] });
    expect((await cluster.control('status')).stdout).toMatch(/Two proposers have the same number/);
    const sound = await sharedCluster();
    expect((await sound.control('status')).stdout).not.toMatch(/same number|differ/);
  });
});

describe('a step that was interrupted', () => {
  const step = ['add-accept', 'all', acceptorName(3), '2'];
  const wanted = { prepare: majorities(2).prepare, accept: firstAcceptors(3) };

  it.each([
    { when: 'after the claim on one proposer', writes: [[1, 1, majorities(2)]] },
    { when: 'between the claim and the new sets', writes: [[1, 1, majorities(2)], [2, 1, majorities(2)]] }, // prettier-ignore
    { when: 'after the new sets on one proposer', writes: [[1, 1, majorities(2)], [2, 1, majorities(2)], [1, 2, wanted]] }, // prettier-ignore
  ] as const)('$when is finished by running it again', async ({ writes }) => {
    const cluster = await sharedCluster({ configured: 2 });
    const before = await eraOf(cluster);
    for (const [proposer, eras, sets] of writes) {
      const era = before + eras;
      expect(await cluster.proposer(proposer).admin.configure(era - 1, { era, ...sets })).toMatchObject({ ok: true });
    }
    const [first] = await configurations(cluster);
    if (writes.length !== 2) expect((await cluster.control('status')).stdout).toMatch(/The proposers differ: .*interrupted/);
    expect(await cluster.control(...step)).toMatchObject({ code: 0, stderr: '' });
    const after = await configurations(cluster);
    const era = (first?.era ?? 0) + 2;
    expect(after).toMatchObject([{ era, ...wanted }, { era, ...wanted }]); // prettier-ignore
    expect((await cluster.control(...step)).stdout).toMatch(/^proposer-1: already .*\nproposer-2: already .*\n$/);
    expect(await cluster.proposer(2).kv.put('a', 0, 1)).toMatchObject({ ok: true });
  });
});

describe('a step of one proposer that was interrupted', () => {
  it('when only the era of the other one was left to write, is finished by running it again', async () => {
    const cluster = await sharedCluster({ configured: 2 });
    const era = await eraOf(cluster);
    const wanted = { prepare: majorities(2).prepare, accept: firstAcceptors(3) };
    await cluster.proposer(1).admin.configure(era, { era: era + 2, ...wanted });
    await cluster.proposer(2).admin.configure(era, { era: era + 1, ...majorities(2) });
    const { code, stdout } = await cluster.control('add-accept', 'proposer-1', acceptorName(3), '2');
    const settled = era + 4;
    expect([code, stdout]).toEqual([0, expect.stringMatching(new RegExp(`^proposer-1: already accept 2 of .* \\(era ${settled}\\)\n$`))]);
    expect(await configurations(cluster)).toMatchObject([{ era: settled, ...wanted }, { era: settled, ...majorities(2) }]); // prettier-ignore
  });
});

describe('another step than the one that was interrupted', () => {
  it('is refused for all proposers until that one is finished, so that no proposer is two steps ahead', async () => {
    const cluster = await sharedCluster({ configured: 2 });
    const halfDone = { prepare: majorities(2).prepare, accept: firstAcceptors(3) };
    const { era } = await cluster.configure(majorities(2));
    await cluster.proposer(1).admin.configure(era, { era: era + 1, ...halfDone });
    const before = await configurations(cluster);
    const other = ['add-prepare', 'all', acceptorName(3), '2'];
    const refused = await cluster.control(...other);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/^error: the proposers differ: .*Nothing was changed\. Run that step again, .* then run this one\.\n$/);
    expect(await configurations(cluster)).toEqual(before);
    expect((await cluster.control('add-accept', 'all', acceptorName(3), '2')).code).toBe(0);
    expect((await cluster.control(...other)).code).toBe(0);
    const [one, two] = await configurations(cluster);
    expect(one).toEqual(two);
    expect(one).toMatchObject(majorities(3));
  });
});

describe('two control processes at once', () => {
  it('never leave a mixture of sets; what did not succeed says what to do, and does so when it is run again', async () => {
    const cluster = await sharedCluster({ configured: 2 });
    for (let round = 0; round < 4; round += 1) {
      const before = await configurationOf(cluster.proposer(1));
      const steps = [
        ['add-accept', 'all', acceptorName(3), '3'],
        ['add-prepare', 'all', acceptorName(3), '3'],
      ];
      const results = await Promise.all(steps.map((step) => cluster.control(...step)));
      const [one, two] = await configurations(cluster);
      for (const { code, stderr } of results) {
        if (code === 0) continue;
        expect(code).toBe(1);
        expect(stderr).toMatch(
          /^error: (proposer-\d refused: .*somebody else changed it|.*somebody else adds |the proposers differ: ).*(again|this one)[^\n]*\n$/,
        );
      }
      // Whatever was done was done to both proposers; where one step was cut short by the other, the first proposer may be ahead by that step.
      for (const [index, phase] of (['accept', 'prepare'] as const).entries()) {
        const wanted = firstAcceptors(3, 3);
        expect([before[phase], wanted]).toContainEqual(two?.[phase]);
        expect([before[phase], wanted]).toContainEqual(one?.[phase]);
        if (results[index]?.code === 0) expect([one?.[phase], two?.[phase]]).toEqual([wanted, wanted]);
      }
      if (results.some(({ code }) => code === 0)) expect([one?.accept, one?.prepare]).toEqual([two?.accept, two?.prepare]);
      for (const step of steps) expect((await cluster.control(...step)).code).toBe(0);
      for (const configuration of await configurations(cluster)) {
        expect(configuration).toMatchObject({ accept: firstAcceptors(3, 3), prepare: firstAcceptors(3, 3) });
      }
      await cluster.configure(majorities(2));
    }
  });
});

describe('wipe-acceptor', () => {
  it('refuses while a proposer lists the acceptor in either set, or cannot be asked; --force wipes all the same', async () => {
    const cluster = await sharedCluster({ configured: 2 });
    for (let key = 0; key < 3; key += 1) await cluster.proposer(1).kv.put(`key-${key}`, 0, 1);
    const wipe = ['wipe-acceptor', acceptorName(2)];

    const refused = await cluster.control(...wipe);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(
      /^error: proposer-1 still lists acceptor-2:6379; proposer-2 still lists acceptor-2:6379\. Nothing was removed\. /,
    );
    await cluster.configure({ prepare: firstAcceptors(1), accept: firstAcceptors(2) });
    expect((await cluster.control(...wipe)).stderr).toMatch(/proposer-1 still lists/);
    await cluster.configure({ prepare: firstAcceptors(2), accept: firstAcceptors(1) });
    expect((await cluster.control(...wipe)).stderr).toMatch(/proposer-2 still lists/);
    await cluster.configure(majorities(1));
    await cluster.proposer(2).end('SIGKILL');
    expect((await cluster.control(...wipe)).stderr).toMatch(/^error: proposer-2 cannot be reached\. Nothing was removed/);
    expect((await cluster.control('status')).stdout).toMatch(/^acceptor-2:6379 .* 3$/m);

    expect(await cluster.control(...wipe, '--force')).toEqual({
      code: 0,
      stderr: '',
      stdout: [
        'FORCED although proposer-2 cannot be reached',
        'not recorded: that needs every proposer, and all in the same era',
        'acceptor-2:6379: 3 keys removed\n',
      ].join('\n'),
    });
    await cluster.proposer(2).start();
    expect(await cluster.control(...wipe)).toEqual({ code: 0, stderr: '', stdout: 'acceptor-2:6379: 0 keys removed\n' });
    expect(await cluster.proposer(2).kv.get('key-1')).toMatchObject({ ok: true });
  });

  it('says which acceptor it could not reach, or does not know', async () => {
    const cluster = await sharedCluster({ configured: 1 });
    await cluster.acceptor(2).kill9();
    cluster.acceptor(3).pause();
    for (const number of [2, 3]) {
      const { code, stdout, stderr } = await cluster.control('wipe-acceptor', acceptorName(number));
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(
        new RegExp(`^error: acceptor-${number}:6379 could not be wiped: it does not answer\\. Start it and run the command again\\.\\n$`),
      );
    }
    expect(await cluster.control('wipe-acceptor', 'acceptor-9:6379')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/no acceptor/) as string,
    });
    expect(await cluster.control('wipe-acceptor')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/missing required argument/) as string,
    });
  });
});
