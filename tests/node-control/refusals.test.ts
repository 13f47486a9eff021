import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EMPTY_CONFIGURATION } from '../../src/protocol/configuration.js';
import { acceptorName, Cluster, configurationOf, redisOf } from '../cluster.js';

const [A, B, C] = [1, 2, 3].map(acceptorName) as [string, string, string];
const THREE = `${A},${B},${C}`;

/** Types commands that have to succeed. */
async function typed(cluster: Cluster, ...commands: readonly string[]): Promise<void> {
  for (const command of commands) {
    const { code, stderr } = await cluster.control(...command.split(' '));
    // On a slow machine a rescan tells of its progress there.
    expect({ command, code, stderr }).toEqual({ command, code: 0, stderr: expect.not.stringContaining('error') as string });
  }
}

/** A command that is refused: says so in one line, and nothing changes on any proposer. */
async function refused(cluster: Cluster, command: string, message: RegExp): Promise<void> {
  const running = cluster.proposers.filter(({ isRunning }) => isRunning);
  const before = await Promise.all(running.map(configurationOf));
  const { code, stdout, stderr } = await cluster.control(...command.split(' '));
  expect({ code, stdout }, command).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/^error: [^\n]*Nothing was (changed|removed)\. [^\n]+\.\n$/);
  expect(await Promise.all(running.map(configurationOf))).toEqual(before);
}

let cluster: Cluster;
beforeAll(async () => {
  cluster = await Cluster.start({ configured: 0 });
});
afterAll(() => cluster.stop());

/** Configured from nothing by the commands themselves, so that every acceptor has its identity. */
async function clusterOf(...acceptors: readonly string[]): Promise<Cluster> {
  await cluster.empty();
  await typed(cluster, `resize ${acceptors.join(',')}`);
  return cluster;
}

/** Every proposer loses its volume. */
async function forgetAll(cluster: Cluster): Promise<void> {
  for (const proposer of cluster.proposers) {
    await proposer.end('SIGKILL');
    proposer.store('configuration.json', JSON.stringify(EMPTY_CONFIGURATION));
    await proposer.start();
  }
}

describe('is refused, with what to do first:', () => {
  it('a step before the one that it follows', async () => {
    const cluster = await clusterOf(A);
    await typed(cluster, `add-accept all ${B} 2`);
    await refused(
      cluster,
      `add-accept all ${C} 2`,
      new RegExp(
        `proposer-1 would prepare on 1 of ${A} while proposer-2 accepts on 2 of ${A} ${B} ${C}: .*First: .*add-prepare all ${B} 2\\.`,
      ),
    );
  });

  it('shrinking in the wrong order', async () => {
    const cluster = await clusterOf(A, B, C);
    await refused(cluster, `rm-accept all ${C} 1`, /could miss each other.*choose larger ones/);
    await typed(cluster, `rm-accept all ${C} 2`);
    await refused(cluster, `rm-accept all ${B} 1`, new RegExp(`First: (.*; )?./run-control.sh rm-prepare all ${C} 2`));
  });

  it('a quorum that is too small', async () => {
    const cluster = await clusterOf(A);
    await refused(cluster, `add-accept all ${B} 1`, /these quorums could miss each other, and a write be lost\..*choose larger ones/);
  });

  it('a step of one proposer that leaves the other behind', async () => {
    const cluster = await clusterOf(A);
    await typed(cluster, `add-accept proposer-1 ${B} 2`, `add-prepare proposer-1 ${B} 2`);
    await refused(
      cluster,
      `add-accept proposer-1 ${C} 2`,
      /proposer-2 would prepare on 1 of .* while proposer-1 accepts on 2 of .*Change all proposers in one step \(all\)/,
    );
  });

  it('any step while a proposer cannot be reached', async () => {
    const cluster = await clusterOf(A);
    await cluster.proposer(2).end('SIGKILL');
    await refused(
      cluster,
      `add-accept all ${B} 2`,
      /^error: proposer-2 cannot be reached\. Nothing was changed\. A step needs every proposer: start it, or resume it where it is paused, and run/,
    );
    await refused(cluster, `resize ${A},${B}`, /^error: proposer-2 cannot be reached/);
  });

  it('what a rescan must come before, and only until it is done', async () => {
    const cluster = await clusterOf(A);
    await cluster.proposer(1).kv.put('quiet', 0, 'kept');
    await typed(cluster, `add-accept all ${B} 2`, `add-prepare all ${B} 2`, `add-accept all ${C} 2`);
    await refused(
      cluster,
      `add-prepare all ${C} 2`,
      new RegExp(`may rest on 1 of ${A}#\\w+ .*a rescan must come first.*First: ./run-control.sh rescan ${A},${B} 2`),
    );
    expect((await cluster.control('status')).stdout).toMatch(
      /^Values may rest on 1 of \S+ alone\. .*, a rescan has to bring them along: \S+ rescan acceptor-1/m,
    );
    await typed(cluster, `rescan ${A},${B} 2`, `add-prepare all ${C} 2`, `rm-accept all ${C} 2`, `rm-prepare all ${C} 2`);
    await typed(cluster, `rm-accept all ${B} 1`);
    await refused(cluster, `rm-prepare all ${B} 1`, new RegExp(`First: ./run-control.sh rescan ${A},${B} 2`));
    await typed(cluster, `rescan ${A},${B} 2`, `rm-prepare all ${B} 1`);
    expect((await cluster.proposer(2).kv.get('quiet')).body).toMatchObject({ val: 'kept' });
  });

  it('an acceptor that joins with data, until it is wiped', async () => {
    const cluster = await clusterOf(A, B, C);
    await cluster.proposer(1).kv.put('a', 0, 1);
    await expect.poll(() => redisOf(cluster, 3).exists('r:a')).toBe(1);
    await typed(cluster, `resize ${A},${B}`);
    const message = new RegExp(`${C} holds 1 key from before\\. Nothing was changed\\. Wipe it first: ./run-control.sh wipe-acceptor ${C}`);
    await refused(cluster, `add-accept all ${C} 2`, message);
    await refused(cluster, `resize ${THREE}`, message);
    await typed(cluster, `wipe-acceptor ${C}`, `resize ${THREE}`);
  });

  it('an acceptor that cannot be asked whether it is empty', async () => {
    const cluster = await clusterOf(A);
    await cluster.acceptor(2).kill9();
    await refused(cluster, `add-accept all ${B} 2`, new RegExp(`${B} cannot be asked whether it is empty, .*Start it`));
  });

  it('one Redis under two names', async () => {
    const cluster = await clusterOf(A);
    await redisOf(cluster, 2).set('identity', await redisOf(cluster, 1).get('identity').then(String));
    await refused(cluster, `add-accept all ${B} 2`, new RegExp(`${B} and ${A} are one and the same acceptor`));
  });

  it('a step after which a set had no quorum for good, while one that is only down hides it', async () => {
    const cluster = await clusterOf(A, B, C);
    await typed(cluster, `rm-accept all ${C} 2`);
    await redisOf(cluster, 1).flushall();
    await cluster.acceptor(3).kill9();
    await refused(cluster, `rm-prepare all ${C} 2`, new RegExp(`which has no quorum: ${A} lost the data\\..*First .*resize ${B}\\.`));
  });

  it('the wipe of what was left out, while those do not answer that would find its values elsewhere', async () => {
    const cluster = await clusterOf(A, B, C);
    await typed(cluster, `rm-accept all ${C} 2`, `rm-prepare all ${C} 2`);
    await cluster.acceptor(2).kill9();
    await refused(
      cluster,
      `wipe-acceptor ${C}`,
      new RegExp(`may rest on ${C}, and without ${B} \\(does not answer\\).*Start ${B} and run`),
    );
    await cluster.acceptor(2).start();
    await typed(cluster, `rescan ${A},${B} 2`, `wipe-acceptor ${C}`);
  });

  it('a smaller quorum before its rescan, whichever acceptor is named to change it', async () => {
    const cluster = await clusterOf(A, B, C);
    await typed(cluster, `add-prepare all ${A} 3`, `add-accept all ${A} 1`, `add-accept all ${A} 2`);
    await refused(
      cluster,
      `add-prepare all ${A} 2`,
      new RegExp(`a rescan must come first\\..*First: ./run-control.sh rescan ${THREE} 3\\.`),
    );
  });

  it('the wipe of an acceptor that is listed, or that values rest on while nobody could find them elsewhere', async () => {
    const cluster = await clusterOf(A, B);
    await refused(
      cluster,
      `wipe-acceptor ${B}`,
      /^error: proposer-1 still lists acceptor-2:6379; proposer-2 still lists .*resize without it/,
    );
    await typed(cluster, 'wipe all');
    await refused(cluster, `wipe-acceptor ${B}`, /values may rest on acceptor-2:6379, and no proposer is configured/);
  });

  it('the wipe of the last copies, which all were put back from a backup', async () => {
    const cluster = await clusterOf(A, B, C);
    await cluster.proposer(1).kv.put('a', 0, 1);
    for (const number of [1, 2, 3]) {
      const redis = redisOf(cluster, number);
      await redis.set('identity', `${await redis.get('identity')}~1796044000~1`);
    }
    expect((await cluster.control('status')).stdout).toMatch(/no other: bring the volume back \(or see docs\/operations\.md, "A folder/);
    await typed(cluster, 'wipe all');
    await refused(cluster, `wipe-acceptor ${B}`, /values may rest on acceptor-2:6379, and no proposer is configured/);
    await refused(
      cluster,
      `resize ${THREE}`,
      /acceptor-3:6379: its disk went back .*\. Begin without it, or with what it holds as [^;]*\.$/m,
    );
    expect((await cluster.control('status')).stdout).not.toContain('wipe-acceptor');
  });

  it('to forget, by a wipe of the proposers, what rests on the acceptors of before', async () => {
    const cluster = await clusterOf(A, B, C);
    await typed(cluster, 'wipe all', `add-accept all ${A} 1`);
    await refused(
      cluster,
      `add-prepare all ${A} 1`,
      /may rest on 2 of .*a rescan must come first.*build sets of which every prepare quorum/,
    );
    await typed(cluster, `resize ${THREE}`);
  });

  it('an acceptor that lost its data, under its old address', async () => {
    const cluster = await clusterOf(A, B, C);
    await cluster.proposer(1).kv.put('a', 0, 1);
    await redisOf(cluster, 3).flushall();
    const status = await cluster.control('status');
    expect(status.stdout).toMatch(/^acceptor-3:6379 +not used +- +listed +listed +0$/m);
    const advice = `resize ${A},${B}; ./run-control.sh wipe-acceptor ${C}; ./run-control.sh resize ${THREE}`;
    expect(status.stdout).toContain(
      `acceptor-3:6379 lost its data or is another acceptor, and no proposer uses it. To replace it: ./run-control.sh ${advice}.`,
    );
    await refused(cluster, `resize ${THREE}`, /lost its data or is another acceptor/);
    await typed(cluster, `resize ${A},${B}`, `wipe-acceptor ${C}`, `resize ${THREE}`);
    expect((await cluster.control('status')).stdout).not.toMatch(/not used|lost its data/);
    expect((await cluster.proposer(2).kv.get('a')).body).toMatchObject({ val: 1 });
  });
});

describe('an acceptor that lost its data', () => {
  it('is not made indispensable by a step, and is the first that resize takes out', async () => {
    const cluster = await clusterOf(A, B, C);
    await cluster.proposer(1).kv.put('a', 0, 'kept');
    await redisOf(cluster, 1).flushall();
    await refused(
      cluster,
      `rm-accept all ${C} 2`,
      new RegExp(
        `would accept on 2 of ${A} ${B}, which has no quorum: ${A} lost the data\\..*First leave out what is lost: .*resize ${B},${C}\\.`,
      ),
    );
    await refused(cluster, `resize ${A}`, /lost its data or is another acceptor/);
    cluster.acceptor(2).pause();
    await refused(cluster, `rm-accept all ${C} 2`, new RegExp(`${B} cannot be reached, ${A} lost the data\\..*First start ${B}\\.`));
    cluster.acceptor(2).resume();
    const { code, stdout } = await cluster.control('resize', C);
    expect([code, stdout]).toEqual([0, expect.stringMatching(new RegExp(`^\\d steps:\\n  1\\. rm-accept all ${A} 2\\n`))]);
    expect((await cluster.proposer(2).kv.get('a')).body).toMatchObject({ val: 'kept' });
  });

  it('is named together with the others, and with the way to replace them', async () => {
    const cluster = await clusterOf(A, B, C);
    await Promise.all([redisOf(cluster, 1).flushall(), redisOf(cluster, 2).flushall()]);
    const { stdout } = await cluster.control('status');
    const wipes = `./run-control.sh wipe-acceptor ${A}; ./run-control.sh wipe-acceptor ${B}`;
    expect(stdout).toContain(`${A} and ${B} lost their data or are other acceptors, and no proposer uses them. `);
    expect(stdout).toContain(`To replace them: ./run-control.sh resize ${C}; ${wipes}; ./run-control.sh resize ${THREE}.`);
  });

  it('is led out of by resize where no quorum of the sets will ever answer again, and nothing rests on it alone', async () => {
    const cluster = await clusterOf(A, B, C);
    await cluster.proposer(1).kv.put('a', 0, 'kept');
    // As a step leaves them of which the last write was on its way while acceptor-3 lost its disk.
    for (const proposer of cluster.proposers) {
      const { era, identities = {} } = await configurationOf(proposer);
      const sets = { prepare: { nodes: [B, C], quorum: 2 }, accept: { nodes: [B], quorum: 1 } };
      const resting = [{ nodes: [A, B, C].map((name) => identities[name] ?? ''), quorum: 2 }];
      expect(await proposer.admin.configure(era, { ...sets, identities, resting, era: era + 1 })).toMatchObject({ ok: true });
    }
    await redisOf(cluster, 3).flushall();
    // On acceptors 1 and 3 may rest what acceptor-2 never saw.
    const { code, stdout } = await cluster.control('resize', B);
    expect([code, stdout]).toEqual([1, expect.not.stringContaining('wipe all')]);
    const why = `No quorum will ever answer again, since ${C} lost the data. First: wipe all\n`;
    expect(await cluster.control('resize', `${A},${B}`, '--dry-run')).toMatchObject({ code: 0, stdout: why });
    const done = await cluster.control('resize', `${A},${B}`);
    expect([done.code, done.stdout]).toEqual([0, expect.stringMatching(new RegExp(`^${why}`))]);
    expect((await cluster.proposer(2).kv.get('a')).body).toMatchObject({ val: 'kept' });
  });

  it('leaves the sets as they are where something may rest on it alone', async () => {
    const cluster = await clusterOf(A, B, C);
    await Promise.all([redisOf(cluster, 2).flushall(), redisOf(cluster, 3).flushall()]);
    await refused(cluster, `resize ${A}`, /no order of steps leads there safely: .* Bring back those that have these\./);
  });

  it('in the middle of shrinking is replaced by the one that has left already', async () => {
    const cluster = await clusterOf(A, B, C);
    await cluster.proposer(1).kv.put('a', 0, 'kept');
    await typed(cluster, `rm-accept all ${C} 2`, `rm-prepare all ${C} 2`);
    await redisOf(cluster, 2).flushall();
    await refused(cluster, `resize ${A}`, new RegExp(`no order of steps leads there safely: .* First: .*resize ${A},${C}\\.`));
    await typed(cluster, `resize ${A},${C}`);
    expect((await cluster.proposer(2).kv.get('a')).body).toMatchObject({ val: 'kept' });
  });
});

describe('a way that begins with no sets', () => {
  it('to fewer acceptors than values may rest on is named: it leads over those that hold them', async () => {
    const cluster = await clusterOf(A, B, C);
    await typed(cluster, 'wipe all');
    await refused(cluster, `resize ${A}`, new RegExp(`values may rest on 2 of .*First: \\./run-control\\.sh resize ${THREE}\\.`));
  });
});

describe('a copy of a value', () => {
  it('that nobody in use would find, since a step was forced, is not wiped before a rescan of all that hold it, which status names', async () => {
    const cluster = await clusterOf(A, B, C);
    const { era, identities = {} } = await configurationOf(cluster.proposer(1));
    const resting = [{ nodes: [A, B].map((name) => identities[name] ?? ''), quorum: 2 }];
    const give = (proposer: number, ...nodes: string[]): Promise<unknown> => {
      const set = { nodes, quorum: nodes.length };
      return cluster.proposer(proposer).admin.configure(era, { era: era + 2, prepare: set, accept: set, identities, resting });
    };
    await give(1, C);
    await give(2);
    const way = `\\./run-control\\.sh rescan ${A},${B} 2`;
    await refused(cluster, `wipe-acceptor ${A}`, new RegExp(`values may rest on 2 of .* alone\\. Nothing was removed\\. First: ${way}\\.`));
    expect((await cluster.control('status')).stdout).toMatch(new RegExp(`Values may rest on 2 of .* alone\\. .*: ${way}\n`));
    await typed(cluster, `rescan ${A},${B} 2`, `wipe-acceptor ${A}`, 'copy proposer-1 proposer-2');
  });

  it('is not wiped while it may be one of too few: the rescan that makes others comes first, and resize ends with it', async () => {
    const cluster = await clusterOf(A, B, C);
    await cluster.acceptor(1).kill9();
    await cluster.proposer(1).kv.put('a', 0, 'kept');
    await cluster.acceptor(1).start();
    await typed(cluster, `rm-accept all ${C} 2`, `rm-prepare all ${C} 2`);
    const why = `values may rest on ${C} and too few others, .*First: .*rescan ${A},${B} 2\\.`;
    await refused(cluster, `wipe-acceptor ${C}`, new RegExp(why));
    const { stdout } = await cluster.control('resize', `${A},${B}`);
    expect(stdout).toMatch(new RegExp(`^1 step:\n  1\\. rescan ${A},${B} 2\n`));
    await typed(cluster, `wipe-acceptor ${C}`);
    await redisOf(cluster, 2).flushall();
    expect(await redisOf(cluster, 1).hget('r:a', 'value')).toContain('kept');
  });

  it('that is needed no more may be wiped, as in the tour', async () => {
    const cluster = await clusterOf(A, B);
    await typed(cluster, `rescan ${A},${B} 2`, `rm-accept all ${B} 1`, `rm-prepare all ${B} 1`, `wipe-acceptor ${B}`);
  });
});

describe('a second operator', () => {
  it('who comes in the middle of a step finds that out before anything of his own is written', async () => {
    const cluster = await clusterOf(A);
    const before = await configurationOf(cluster.proposer(1));
    // Half of a step: the era is taken on one proposer.
    await cluster.proposer(2).admin.configure(before.era, { ...before, era: before.era + 1 });
    const twice = await Promise.all([cluster.control('add-accept', 'all', B, '2'), cluster.control('add-accept', 'all', C, '2')]);
    for (const { code, stderr } of twice)
      if (code !== 0) expect(stderr).toMatch(/somebody else changed it|the proposers differ|could miss each other/);
    const [one, two] = await Promise.all(cluster.proposers.map(configurationOf));
    expect(one?.accept.nodes.includes(B) && one.accept.nodes.includes(C)).toBe(false);
    expect(two?.accept.nodes.includes(B) && two.accept.nodes.includes(C)).toBe(false);
  });

  it('who wipes an acceptor that the first one adds takes it out of use, and nothing is lost', async () => {
    const cluster = await clusterOf(A, B);
    await cluster.proposer(1).kv.put('a', 0, 'kept');
    await typed(cluster, `add-accept all ${C} 2`);
    // As if his look at the configurations had been before that step.
    await typed(cluster, `add-prepare all ${C} 2`);
    await redisOf(cluster, 3).flushall();
    cluster.acceptor(2).pause();
    expect(await cluster.proposer(1).kv.get('a')).toMatchObject({ status: 503, code: 'PrepareError' });
    expect(await cluster.proposer(1).kv.get('a')).toMatchObject({ message: expect.stringContaining(C) as string });
    cluster.acceptor(2).resume();
    expect((await cluster.proposer(1).kv.get('a')).body).toMatchObject({ val: 'kept' });
  });
});

describe('--dry-run', () => {
  it('says what a step would do, or why it is refused, and changes nothing', async () => {
    const cluster = await clusterOf(A);
    const before = await configurationOf(cluster.proposer(1));
    expect(await cluster.control('add-accept', 'all', B, '2', '--dry-run')).toEqual({
      code: 0,
      stderr: '',
      stdout: [1, 2].map((n) => `would be done: proposer-${n}: accept 2 of ${A} ${B}, was 1 of ${A} (era ${before.era})\n`).join(''),
    });
    expect((await cluster.control('resize', THREE, '--dry-run')).stdout).toMatch(/^5 steps:\n {2}1\. add-accept all acceptor-2:6379 2\n/);
    expect((await cluster.control('wipe-acceptor', B, '--dry-run')).stdout).toBe(`would be done: ${B}: 0 keys removed\n`);
    expect((await cluster.control('wipe', 'all', '--dry-run')).stdout).toMatch(/^would be done: proposer-1: now without acceptors/);
    expect(await redisOf(cluster, 2).get('identity')).toBeNull();
    expect(await configurationOf(cluster.proposer(1))).toEqual(before);
    await refused(cluster, `add-accept all ${B} 1 --dry-run`, /could miss each other/);
  });
});

describe('--force', () => {
  it('forgets nothing that needs a rescan by a step that gives nothing up yet', async () => {
    const cluster = await clusterOf(A, B, C);
    await typed(cluster, 'wipe all', `add-prepare all ${A} 1 --force`);
    await refused(cluster, `add-accept all ${A} 1`, /a rescan must come first/);
  });

  it('does what is refused, says in spite of what, and is recorded; the next steps are judged from there', async () => {
    const cluster = await clusterOf(A);
    await typed(cluster, `add-accept all ${B} 2`, `add-prepare all ${B} 2`, `add-accept all ${C} 2`);
    const { code, stdout } = await cluster.control('add-prepare', 'all', C, '2', '--force');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^FORCED although proposer-1 would prepare on .*a rescan must come first\nproposer-1: prepare 2 of /);
    for (const { forced } of await Promise.all(cluster.proposers.map(configurationOf))) {
      expect(forced).toEqual([expect.stringMatching(new RegExp(`^add-prepare all ${C} 2: proposer-1 would prepare`))]);
    }
    expect((await cluster.control('status')).stdout).toMatch(/^Forced: add-prepare all acceptor-3:6379 2: proposer-1 would/m);
    await typed(cluster, `resize ${A}`);
  });

  it('wipes an acceptor that is listed, and is recorded in spite of what', async () => {
    const cluster = await clusterOf(A, B, C);
    const { code, stdout } = await cluster.control('wipe-acceptor', C, '--force');
    const why = `proposer-1 still lists ${C}; proposer-2 still lists ${C}`;
    expect([code, stdout.split('\n')]).toEqual([
      0,
      [...why.split('; ').map((each) => `FORCED although ${each}`), `${C}: 0 keys removed`, ''],
    ]);
    const [one, two] = await Promise.all(cluster.proposers.map(configurationOf));
    expect(one).toEqual(two);
    expect(one?.forced).toEqual([`wipe-acceptor ${C}: ${why}`]);
    await typed(cluster, `resize ${A},${B}`);
  });

  it('leaves a proposer behind that cannot be reached, and says what that one needs', async () => {
    const cluster = await clusterOf(A);
    await cluster.proposer(2).end('SIGKILL');
    const { code, stdout } = await cluster.control('add-accept', 'all', B, '2', '--force');
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^FORCED although proposer-2 cannot be reached and is left behind\nproposer-1: /),
    ]);
    await cluster.proposer(2).start();
    await typed(cluster, 'copy proposer-1 proposer-2');
    expect(await configurationOf(cluster.proposer(2))).toEqual(await configurationOf(cluster.proposer(1)));
  });
});

describe('an acceptor that holds data', () => {
  it('may be what a cluster without any configuration starts from, above every ballot in it', async () => {
    // One of its own: eras count from 0.
    const cluster = await Cluster.forThisTest({ configured: 0 });
    await typed(cluster, `resize ${A}`);
    await cluster.proposer(1).kv.put('a', 0, 'kept');
    await redisOf(cluster, 1).hset('r:b', 'promise', '41.3.1.1');
    await forgetAll(cluster);
    await typed(cluster, `add-accept all ${A} 1`);
    expect((await configurationOf(cluster.proposer(1))).era).toBe(43);
    await typed(cluster, `add-prepare all ${A} 1`);
    expect((await cluster.proposer(2).kv.get('a')).body).toMatchObject({ val: 'kept' });
    expect((await cluster.proposer(2).kv.put('b', 0, 'new')).status).toBe(201);
  });

  it('is not left out where every proposer lost its volume: nobody knows what rests on it alone', async () => {
    const cluster = await clusterOf(A, B, C);
    await cluster.acceptor(1).kill9();
    await cluster.proposer(1).kv.put('a', 0, 'kept');
    await cluster.acceptor(1).start();
    await forgetAll(cluster);
    await refused(cluster, `wipe-acceptor ${B}`, /values may rest on .* and no proposer is configured/);
    await refused(
      cluster,
      `resize ${A}`,
      new RegExp(`values may rest on .*1 of ${B}#\\w+, and on 1 of ${C}#\\w+\\. .*First: .*resize ${B},${C}\\.`),
    );
    await typed(cluster, `add-accept all ${A} 1`);
    await refused(cluster, `add-prepare all ${A} 1`, new RegExp(`could miss a value that, .* may rest on 1 of ${B}#`));
    await typed(cluster, `resize ${THREE}`);
    expect((await cluster.proposer(1).kv.get('a')).body).toMatchObject({ val: 'kept' });
    await typed(cluster, `resize ${A}`);
    expect((await cluster.proposer(2).kv.get('a')).body).toMatchObject({ val: 'kept' });
  });

  it('may be there where every proposer lost its volume and one acceptor does not answer: then nothing is begun', async () => {
    const cluster = await clusterOf(A, B);
    await forgetAll(cluster);
    await cluster.acceptor(2).kill9();
    await refused(cluster, `add-accept all ${A} 1`, new RegExp(`no proposer remembers anything, and ${B} cannot be asked whether`));
  });
});
