import { expect, it, onTestFinished } from 'vitest';
import { acceptorName, Cluster, configurationOf } from '../cluster.js';
import { send } from '../raw-http.js';
import { RedisServer } from '../redis-server.js';

/** An acceptor in use is looked at every five seconds, and the machine may be busy. */
const NOTICED_WITHIN_MS = 30_000;
const [A, B, C] = [1, 2, 3].map(acceptorName) as [string, string, string];
const THREE = `resize ${A},${B},${C}`;

async function started(...args: string[]): Promise<RedisServer> {
  const server = await RedisServer.start(args);
  onTestFinished(() => server.stop());
  return server;
}

/** Three acceptors of which the third one was started with these settings. */
async function clusterWith(
  ...settings: string[]
): Promise<{ cluster: Cluster; third: RedisServer; type: (command: string) => Promise<string> }> {
  const third = await started(...settings);
  const addresses = [await started(), await started(), third].map(({ address }) => address);
  const cluster = await Cluster.forThisTest({ addresses, configured: 0 });
  const type = async (command: string): Promise<string> => {
    const { code, stdout, stderr } = await cluster.control(...command.split(' '));
    return code === 0 ? stdout : stderr;
  };
  return { cluster, third, type };
}

const configure = (acceptor: RedisServer, setting: string, value: string): Promise<unknown> =>
  acceptor.ask((redis) => redis.config('SET', setting, value));

it.each([
  [
    'maxmemory-policy is allkeys-random',
    'CONFIG SET maxmemory-policy noeviction',
    ['--maxmemory', '30mb', '--maxmemory-policy', 'allkeys-random'],
  ],
  ['appendonly is no', 'CONFIG SET appendonly yes', ['--appendonly', 'no']],
  ['appendfsync is everysec', 'CONFIG SET appendfsync always', ['--appendfsync', 'everysec']],
])('an acceptor whose %s does not join before that was mended', async (flaw, mend, settings) => {
  const { cluster, third, type } = await clusterWith(...settings);
  await type(`resize ${A}`);
  const before = await Promise.all(cluster.proposers.map(configurationOf));
  for (const command of [THREE, `add-accept all ${C} 2`, `add-accept all ${C} 2 --dry-run`])
    expect(await type(command)).toBe(
      `error: ${C} is unfit: ${flaw}. Nothing was changed. ${mend}, and the same in its configuration file.\n`,
    );
  expect(await Promise.all(cluster.proposers.map(configurationOf))).toEqual(before);
  const status = await type('status');
  expect(status).toMatch(new RegExp(`^${C} +not used +- +- +- +0$`, 'm'));
  expect(status).toContain(`${C}: ${flaw}. ${mend}, and the same in its configuration file.\n`);

  const [, , setting = '', value = ''] = mend.split(' ');
  await configure(third, setting, value);
  await expect.poll(() => type(THREE), { timeout: NOTICED_WITHIN_MS, interval: 500 }).not.toContain('error');
  const mended = await type('status');
  expect(mended).toMatch(new RegExp(`^${C} +reachable +- +listed +listed +0$`, 'm'));
  expect(mended).not.toContain('unfit');
});

it('an acceptor that becomes unfit is used no longer until it is mended, and each place says why', async () => {
  const { cluster, third, type } = await clusterWith();
  const proposer = cluster.proposer(1);
  expect(await type(`resize ${C}`)).not.toContain('error');
  expect(await proposer.kv.put('k', 0, 1)).toMatchObject({ ok: true });

  await configure(third, 'appendfsync', 'everysec');
  const why = 'appendfsync is everysec. CONFIG SET appendfsync always, and the same in its configuration file';
  await expect.poll(() => proposer.logged(`this acceptor is not used: ${why}`), { timeout: NOTICED_WITHIN_MS }).toHaveLength(1);
  expect(await proposer.kv.get('k')).toMatchObject({ ok: false, code: 'PrepareError' });
  const { status, text } = await send(proposer.address, { path: '/readyz' });
  expect([status, text]).toEqual([503, expect.stringContaining(`; ${C} is unfit: ${why}`)]);
  expect(await type('status')).toMatch(new RegExp(`^${C} +not used +- +listed +listed +1$`, 'm'));

  await configure(third, 'appendfsync', 'always');
  await expect.poll(() => proposer.kv.get('k'), { timeout: NOTICED_WITHIN_MS }).toMatchObject({ ok: true });
  expect(proposer.logged('acceptor came back')).toHaveLength(1);
});

it('an acceptor joins in spite of that if the operator insists, which is recorded, and is not used', async () => {
  const { third, type } = await clusterWith('--appendfsync', 'no');
  await type(`resize ${A},${B}`);
  expect(await type(`add-accept all ${C} 2 --force`)).not.toContain('error');
  expect(await type('status')).toMatch(/^Forced: add-accept all acceptor-3:6379 2: acceptor-3:6379 is unfit: appendfsync is no\.$/m);
  await configure(third, 'appendfsync', 'always');
  expect(await type('status')).toMatch(new RegExp(`^${C} +reachable`, 'm'));
});

it('an acceptor whose settings cannot be asked for is used if its address says so, and status says that', async () => {
  const acceptor = await started('--aclfile', '/dev/null');
  await acceptor.ask((redis) => redis.call('ACL', 'SETUSER', 'default', '-config'));
  const refused = await Cluster.forThisTest({ addresses: [acceptor.address], configured: 0 });
  expect((await refused.control('resize', A)).stderr).toMatch(
    /acceptor-1:6379 is unfit: CONFIG GET is refused \(NOPERM.*Give its user the right/,
  );
  const taken = await Cluster.forThisTest({ addresses: [`redis://${acceptor.address}?config=unchecked`], configured: 0 });
  expect(await taken.control('resize', A)).toMatchObject({ code: 0 });
  expect(await taken.proposer(1).kv.put('k', 0, 1)).toMatchObject({ ok: true });
  expect(taken.proposer(1).logged('is not checked: its address says config=unchecked')).toHaveLength(1);
  expect((await taken.control('status')).stdout).toContain(
    `${A}: whether appendfsync is always is not checked: its address says config=unchecked.\n`,
  );
  // It is remembered by every proposer, also when the address says something else one day.
  const choice = `${A}: whether appendfsync is always is not checked: its address says config=unchecked`;
  const configurations = await Promise.all(taken.proposers.map(configurationOf));
  expect(configurations.map(({ forced }) => forced)).toEqual(taken.proposers.map(() => [`add-accept all ${A} 1: ${choice}`]));
  expect((await taken.control('status')).stdout).toContain(`Forced: add-accept all ${A} 1: ${choice}.\n`);
});
