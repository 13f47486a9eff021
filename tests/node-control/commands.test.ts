import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { acceptorName, Cluster, configurationOf, type ControlResult, firstAcceptors } from '../cluster.js';

const empty = { nodes: [], quorum: 0 };
let cluster: Cluster;
const control = (...args: string[]): Promise<ControlResult> => cluster.control(...args);

beforeAll(async () => {
  cluster = await Cluster.start({ acceptors: 3, proposers: 2, configured: 0 });
});
afterAll(() => cluster.stop());

beforeEach(async () => {
  await cluster.configure({ prepare: empty, accept: empty });
});

const eraOf = async (number: number): Promise<number> => (await configurationOf(cluster.proposer(number))).era;

/** A message, an exit code, and nothing changed on any proposer: 2 for a command that is none, 1 for one that cannot be done. */
async function expectRefusal(args: string[], message: RegExp, exitCode = 1): Promise<void> {
  const before = await Promise.all(cluster.proposers.map(configurationOf));
  const { code, stdout, stderr } = await control(...args);
  expect({ code, stdout }).toEqual({ code: exitCode, stdout: '' });
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(/^error: /);
  expect(stderr).not.toMatch(/\n +at /);
  expect(await Promise.all(cluster.proposers.map(configurationOf))).toEqual(before);
}

describe('ls', () => {
  it('names the nodes that the other commands take', async () => {
    const names = ['proposer-1', 'proposer-2', acceptorName(1), acceptorName(2), acceptorName(3)];
    expect(await control('ls')).toEqual({ code: 0, stdout: `${names.join('\n')}\n`, stderr: '' });
  });
});

describe('dump', () => {
  it('prints the configurations of all proposers, or of one, as JSON', async () => {
    const [one, two] = await Promise.all(cluster.proposers.map(configurationOf));
    const all = await control('dump');
    expect([all.code, JSON.parse(all.stdout)]).toEqual([0, { 'proposer-1': one, 'proposer-2': two }]);
    expect(await control('dump', 'all')).toEqual(all);
    const single = await control('dump', 'proposer-2');
    expect([single.code, JSON.parse(single.stdout)]).toEqual([0, { 'proposer-2': two }]);
    expect(await control('dump', 'proposer-3')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/no proposer "proposer-3"/) as string,
    });
  });
});

describe('status', () => {
  it('prints one table: the proposers with eras, sets and quorums, the acceptors with their keys', async () => {
    await cluster.configure({ prepare: firstAcceptors(1), accept: firstAcceptors(2) });
    await cluster.proposer(1).kv.put('a', 0, 1);
    const era = await eraOf(1);
    const { code, stdout, stderr } = await control('status');
    expect([code, stderr]).toEqual([0, '']);
    const rows = stdout.split('\n').map((line) => line.split(/ {2,}/));
    const sets = ['1 of acceptor-1:6379', '2 of acceptor-1:6379 acceptor-2:6379', '-'];
    expect(rows).toEqual([
      ['NODE', 'STATE', 'ERA', 'PREPARE', 'ACCEPT', 'KEYS'],
      ['proposer-1', 'reachable', String(era), ...sets],
      ['proposer-2', 'reachable', String(era), ...sets],
      ['acceptor-1:6379', 'reachable', '-', 'listed', 'listed', '1'],
      ['acceptor-2:6379', 'reachable', '-', '-', 'listed', '1'],
      ['acceptor-3:6379', 'reachable', '-', '-', '-', '0'],
      ['Prepare 1 of 1, accept 2 of 2: serves, and stops if acceptor-1 or acceptor-2 is lost.'],
      [''],
    ]);
    const columns = stdout.split('\n').slice(0, 6).map((line) => line.indexOf(line.split(/ {2,}/)[2] ?? '', 12)); // prettier-ignore
    expect(new Set(columns).size).toBe(1);
    await cluster.configure({ prepare: empty, accept: empty });
    await control('wipe-acceptor', acceptorName(1));
    await control('wipe-acceptor', acceptorName(2));
  });
});

describe('add and rm', () => {
  it('say what they changed, and repeated what already stood', async () => {
    const era = await eraOf(1);
    expect(await control('add-accept', 'all', acceptorName(1), '1')).toEqual({
      code: 0,
      stderr: '',
      stdout: [1, 2].map((n) => `proposer-${n}: accept 1 of acceptor-1:6379, was nobody (era ${era + 2})\n`).join(''),
    });
    expect(await control('add-accept', 'all', acceptorName(1), '1')).toEqual({
      code: 0,
      stderr: '',
      stdout: [1, 2].map((n) => `proposer-${n}: already accept 1 of acceptor-1:6379 (era ${era + 2})\n`).join(''),
    });
    await control('add-prepare', 'all', acceptorName(1), '1');
    await control('add-prepare', 'all', acceptorName(2), '2');
    expect(await configurationOf(cluster.proposer(2))).toMatchObject({
      era: era + 6,
      prepare: firstAcceptors(2),
      accept: firstAcceptors(1),
    });
    expect((await control('rm-prepare', 'all', acceptorName(2), '1')).stdout).toMatch(
      /^proposer-1: prepare 1 of acceptor-1:6379, was 2 of acceptor-1:6379 acceptor-2:6379 \(era \d+\)\nproposer-2: /,
    );
    expect((await control('rm-prepare', 'all', acceptorName(2), '1')).stdout).toMatch(/^proposer-1: already prepare 1 of acceptor-1:6379/);
    expect((await control('rm-accept', 'all', acceptorName(1), '0')).stdout).toMatch(
      /^proposer-1: accept nobody, was 1 of acceptor-1:6379/,
    );
  });

  it('know an acceptor by its name without the port, also in a list', async () => {
    expect(await control('add-accept', 'all', 'acceptor-1', '1')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(acceptorName(1)) as string,
    });
    expect((await control('resize', '--dry-run', 'acceptor-1,acceptor-2')).stdout).toContain(`add-prepare all ${acceptorName(1)} 1`);
  });

  it('change only the quorum of an acceptor that is already there', async () => {
    await cluster.configure({ prepare: firstAcceptors(3), accept: firstAcceptors(3) });
    expect((await control('add-accept', 'all', acceptorName(2), '3')).stdout).toMatch(/proposer-2: accept 3 of \S+ \S+ \S+, was 2 of/);
    expect((await configurationOf(cluster.proposer(1))).accept).toEqual(firstAcceptors(3, 3));
  });

  it('of one proposer leave the sets of the other as they are', async () => {
    const { stdout } = await control('add-accept', 'proposer-2', acceptorName(1), '1');
    expect(stdout).toMatch(/^proposer-2: accept 1 of acceptor-1:6379, was nobody \(era \d+\)\n$/);
    const [one, two] = await Promise.all(cluster.proposers.map(configurationOf));
    expect(one).toMatchObject({ era: two?.era, prepare: empty, accept: empty });
    expect(two?.accept).toEqual(firstAcceptors(1));
    const status = await control('status');
    expect(status.code).toBe(0);
    expect(status.stdout).toMatch(/The proposers differ/);
  });

  it.each([
    [
      'an unknown proposer',
      ['add-accept', 'proposer-3', acceptorName(1), '1'],
      /there is no proposer "proposer-3"\. Known: proposer-1, proposer-2, all/,
    ],
    ['a proposer in capitals', ['add-accept', 'ALL', acceptorName(1), '1'], /there is no proposer "ALL"/],
    [
      'an unknown acceptor',
      ['add-accept', 'all', 'acceptor-4:6379', '1'],
      /there is no acceptor "acceptor-4:6379"\. Known: acceptor-1:6379/,
    ],
    ['an acceptor without its port that is none', ['rm-prepare', 'all', 'acceptor-4', '1'], /there is no acceptor "acceptor-4"/],
    ['quorum 0', ['add-accept', 'all', acceptorName(1), '0'], /its quorum can be 1, not 0\. Nothing was changed/],
    ['quorum 4 of 3', ['add-prepare', 'all', acceptorName(1), '4'], /its quorum can be 1, not 4/],
    ['a quorum left for nobody', ['rm-accept', 'all', acceptorName(1), '1'], /is empty: its quorum can be 0, not 1/],
    ['a quorum that is no number', ['add-accept', 'all', acceptorName(1), 'two'], /'two' is invalid.*whole number/, 2],
    ['a fractional quorum', ['add-accept', 'all', acceptorName(1), '1.5'], /'1\.5' is invalid/, 2],
    ['a negative quorum', ['add-accept', 'all', acceptorName(1), '-1'], /'-1' is invalid/, 2],
    ['a quorum in hexadecimal', ['add-accept', 'all', acceptorName(1), '0x1'], /'0x1' is invalid/, 2],
    ['no acceptors', ['resize', ''], /^error: ACCEPTORS '' is invalid\. It must be names with commas between/, 2],
    ['no quorum', ['add-accept', 'all', acceptorName(1)], /missing required argument 'QUORUM'/, 2],
    ['one argument too many', ['add-accept', 'all', acceptorName(1), '1', '1'], /too many arguments/, 2],
    ['an unknown command', ['add-acept', 'all', acceptorName(1), '1'], /unknown command 'add-acept'[^]*add-accept/, 2],
    ['an unknown proposer to wipe', ['wipe', 'proposer-9'], /there is no proposer "proposer-9"/],
    [
      'nobody to add it to',
      ['add-accept', acceptorName(1), '1'],
      /PROPOSER comes first.*: \.\/run-control\.sh add-accept all acceptor-1:6379 1\./,
      2,
    ],
    ['nobody to wipe', ['wipe'], /missing required argument 'PROPOSER'/, 2],
  ])('refuse %s', async (_, args, message, exitCode = 1) => {
    await expectRefusal(args, message, exitCode);
  });

  it('refuse quorum 4 of 3 acceptors, and name the three', async () => {
    await cluster.configure({ prepare: firstAcceptors(3), accept: firstAcceptors(3) });
    await expectRefusal(
      ['add-accept', 'all', acceptorName(3), '4'],
      /has 3 acceptors \(.*acceptor-3:6379\): its quorum can be 1 to 3, not 4/,
    );
  });
});

describe('wipe', () => {
  it('takes all acceptors from a proposer, keeps the era rising, and repeated says so', async () => {
    await cluster.configure({ prepare: firstAcceptors(3), accept: firstAcceptors(3) });
    const era = await eraOf(1);
    const both = (what: string): string => [1, 2].map((n) => `proposer-${n}: ${what} without acceptors (era ${era + 4})\n`).join('');
    const refused = 'Every operation is refused from now on. The acceptors keep their keys. The way back: ./run-control.sh';
    const back = `${refused} resize acceptor-1:6379,acceptor-2:6379,acceptor-3:6379.\n`;
    expect(await control('wipe', 'all')).toEqual({ code: 0, stderr: '', stdout: both('now') + back });
    expect(await control('unconfigure', 'all')).toEqual({ code: 0, stderr: '', stdout: both('already') + back });
    expect(await configurationOf(cluster.proposer(2))).toMatchObject({ era: era + 4, prepare: empty, accept: empty });
    expect(await cluster.proposer(1).kv.get('a')).toMatchObject({ status: 503, code: 'NotConfigured' });
  });

  it('of one proposer names who refuses, and who has the sets still', async () => {
    await cluster.configure({ prepare: firstAcceptors(3), accept: firstAcceptors(3) });
    expect((await control('wipe', 'proposer-2')).stdout).toMatch(
      /\nproposer-2 refuses every operation from now on\. .* The way back: \.\/run-control\.sh copy proposer-1 proposer-2\.\n$/,
    );
    expect((await control('copy', 'proposer-1', 'proposer-2')).code).toBe(0);
    expect((await control('wipe', 'all', '--dry-run')).stdout).not.toContain('from now on');
  });
});

describe('the program', () => {
  it.each([
    ['done', 0, ['ls']],
    ['refused', 1, ['wipe', 'proposer-9']],
    ['none', 2, ['nonsense']],
  ])('says as a process, too, what a command says that is %s, and ends with %i', async (_, code, args) => {
    const result = await cluster.controlWith({}, ...args);
    expect(result).toEqual(await control(...args));
    expect(result.code).toBe(code);
  });

  it('helps with --help and exit 0, and refuses no command at all with exit 2', async () => {
    const help = await control('--help');
    expect(help.code).toBe(0);
    for (const command of ['ls', 'dump', 'status', 'wipe', 'add-accept', 'rm-prepare', 'rescan', 'wipe-acceptor']) {
      expect(help.stdout).toMatch(new RegExp(`^ +${command}\\b`, 'm'));
    }
    expect((await control('rescan', '--help')).stdout).toMatch(/REQUIRED/);
    expect((await control('wipe', '--help')).stdout).not.toContain('default: false');
    expect(await control()).toMatchObject({ code: 2, stdout: '' });
  });

  it('prints no escape codes where its output is piped, not even when it is told to use colours', async () => {
    const runs = [['--help'], ['status'], ['add-accept', 'all', acceptorName(1), '1'], ['rescan', acceptorName(1), '1'], ['nonsense']];
    for (const args of runs) {
      const { stdout, stderr } = await cluster.controlWith({ FORCE_COLOR: '1' }, ...args);
      expect(stdout + stderr).not.toContain('\u001B');
    }
  });

  it.each([
    ['ADDRESS_MAP', '/nowhere/addresses.json'],
    ['PROPOSERS', 'proposer-1,proposer-1'],
    ['ACCEPTORS', 'acceptor-1:6379,,'],
  ])('says in one line what is wrong with %s=%s', async (variable, value) => {
    const { code, stdout, stderr } = await cluster.controlWith({ [variable]: value }, 'ls');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(new RegExp(`^error: [^\\n]*${variable}[^\\n]*\\n$`));
  });
});
