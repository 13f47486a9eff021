import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import { acceptorName, Cluster, configurationOf, UNHURRIED } from '../cluster.js';
import { RedisServer } from '../redis-server.js';

const MAKE_SECRETS = fileURLToPath(new URL('../../node-control/scripts/make-secrets.sh', import.meta.url));
const [first, second] = [acceptorName(1), acceptorName(2)];

interface Guarded {
  readonly cluster: Cluster;
  /** What the commands say, as the control node's user. */
  readonly type: (command: string) => Promise<{ code: number | null; said: string }>;
  /** At the acceptor that is to join, by an administrator of its own. */
  readonly administer: (command: string) => Promise<unknown>;
}

/** The first of two acceptors serves; at the second one the users of make-secrets.sh have other rights. */
async function guarded(change: (users: string) => string): Promise<Guarded> {
  const parent = mkdtempSync(join(tmpdir(), 'rights-'));
  onTestFinished(() => rmSync(parent, { recursive: true }));
  const secrets = join(parent, 'secrets');
  execFileSync('bash', [MAKE_SECRETS, secrets]);
  const users = readFileSync(join(secrets, 'users.acl'), 'utf8');
  const start = async (name: string, text: string): Promise<RedisServer> => {
    const file = join(parent, name);
    writeFileSync(file, text.replace('user default off', 'user default on nopass ~* +@all'));
    const server = await RedisServer.start(['--aclfile', file]);
    onTestFinished(() => server.stop());
    return server;
  };
  const changed = change(users);
  expect(changed).not.toBe(users);
  const [fit, other] = [await start('fit.acl', users), await start('other.acl', changed)];
  const access = (user: string) => ({ REDIS_USER: user, REDIS_PASSWORD_FILE: join(secrets, `${user}-password`) });
  const addresses = [fit.address, other.address];
  const cluster = await Cluster.forThisTest({ addresses, configured: 0, env: { ...access('proposer'), ...UNHURRIED } });
  const type = async (command: string): Promise<{ code: number | null; said: string }> => {
    const { code, stdout, stderr } = await cluster.controlWith(access('control'), ...command.split(' '));
    return { code, said: code === 0 ? stdout : stderr };
  };
  expect(await type(`resize ${first}`)).toMatchObject({ code: 0 });
  const administrator = new Redis({ host: '127.0.0.1', port: other.port });
  onTestFinished(() => administrator.disconnect());
  const administer = (command: string): Promise<unknown> => {
    const [name = '', ...args] = command.split(' ');
    return administrator.call(name, ...args);
  };
  return { cluster, type, administer };
}

it('an acceptor whose users.acl lacks rights for the proposers does not join before that was mended', async () => {
  const change = (rights: string): string => rights.replace(' +hset', '').replace(' +evalsha', '');
  const lacking = '+evalsha, +hset ~r:*, +hset ~eras';
  const { cluster, type, administer } = await guarded((users) => users.replace(/^user proposer .*$/m, change));
  const before = await Promise.all(cluster.proposers.map(configurationOf));
  const mend = `ACL SETUSER proposer ${lacking.replaceAll(',', '')}`;
  for (const command of [`resize ${first},${second}`, `add-accept all ${second} 2`, `add-accept all ${second} 2 --dry-run`])
    expect(await type(command)).toEqual({
      code: 1,
      said:
        `error: ${second} would refuse what the proposers ask of it: their user proposer lacks ${lacking}. ` +
        `Nothing was changed. ${mend}, and the same in its users.acl.\n`,
    });
  expect(await Promise.all(cluster.proposers.map(configurationOf))).toEqual(before);

  await administer(mend);
  expect(await type(`resize ${first},${second}`)).toMatchObject({ code: 0 });
  expect(await cluster.proposer(1).kv.put('k', 0, 1)).toMatchObject({ ok: true });
});

it('an acceptor to which the control node may not copy joins, and the operator hears of it', async () => {
  const { cluster, type, administer } = await guarded((users) => users.replace(' (~r:* +hset)', ''));
  expect(await cluster.proposer(1).kv.put('k', 0, 1)).toMatchObject({ ok: true });
  const mend = 'ACL SETUSER control (~r:* +hset)';
  const remark = `${second}: the control node's user control lacks (~r:* +hset) to copy registers, so a rescan runs a round for each key: ${mend}, and the same in its users.acl`;
  const { code, said } = await type(`resize ${first},${second}`);
  expect([code, said.split('\n').filter((line) => line.includes('to copy registers'))]).toEqual([0, [`${remark}.`]]);
  expect(await cluster.proposer(2).kv.get('k')).toMatchObject({ body: { val: 1 } });
  expect((await type('status')).said).toContain(`${remark}.\n`);
  await administer(mend);
  expect((await type('status')).said).not.toContain('to copy registers');
});

it('an acceptor with the users of a version without greetings, collections and copies joins as before', async () => {
  const { cluster, type } = await guarded((users) =>
    users
      .replace(' ~beats ~eras', '')
      .replace(/^(user control .*) \+evalsha/m, '$1')
      .replaceAll(/ \(.*\)/g, ''),
  );
  expect(await type(`resize ${first},${second}`)).toMatchObject({ code: 0 });
  expect(await cluster.proposer(1).kv.put('k', 0, 1)).toMatchObject({ ok: true });
});
