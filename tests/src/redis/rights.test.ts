import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { lookAtRights } from '../../../src/redis/rights.js';
import { RedisServer } from '../../redis-server.js';

const MAKE_SECRETS = fileURLToPath(new URL('../../../node-control/scripts/make-secrets.sh', import.meta.url));
const TIMEOUT_MS = 20_000;

describe('what a proposer may do at an acceptor', () => {
  const parent = mkdtempSync(join(tmpdir(), 'rights-'));
  const secret = (name: string): string => readFileSync(join(parent, 'secrets', name), 'utf8');
  let server: RedisServer;
  let admin: Redis;

  beforeAll(async () => {
    execFileSync('bash', [MAKE_SECRETS, join(parent, 'secrets')]);
    const users = join(parent, 'users.acl');
    writeFileSync(users, secret('users.acl').replace('user default off', 'user default on nopass ~* +@all'));
    server = await RedisServer.start(['--aclfile', users]);
    admin = new Redis({ host: '127.0.0.1', port: server.port });
  });
  beforeEach(() => admin.call('ACL', 'LOAD'));
  afterAll(async () => {
    admin.disconnect();
    await server.stop();
    rmSync(parent, { recursive: true });
  });

  const look = () => lookAtRights(server.address, { username: 'proposer', password: secret('proposer-password') }, TIMEOUT_MS);

  it('is all that it needs with the users that make-secrets.sh makes, and nothing is written to find that out', async () => {
    expect(await look()).toEqual({ user: 'proposer', lacking: [] });
    expect(await admin.dbsize()).toBe(0);
    await admin.mset('identity', 'acceptor-1:6379#me', 'beats', '7', 'identity:floor', '2.1');
    await admin.hset('eras', '1', '4');
    expect(await look()).toEqual({ user: 'proposer', lacking: [] });
    expect(await admin.mget('identity', 'beats', 'identity:floor')).toEqual(['acceptor-1:6379#me', '7', '2.1']);
    expect([await admin.dbsize(), await admin.hgetall('eras')]).toEqual([4, { '1': '4' }]);
    await admin.flushall();
  });

  it.each([
    ['-info', ['+info']],
    ['-config|get', ['+config|get']],
    ['-eval', ['+eval']],
    ['-evalsha', ['+evalsha']],
    ['-hset', ['+hset ~r:*', '+hset ~eras']],
    ['-hmget', ['+hmget ~r:*', '+hmget ~eras']],
    ['-get', ['+get ~identity', '+get ~identity:*']],
  ])('lacks what it needs after %s', async (taken, lacking) => {
    await admin.call('ACL', 'SETUSER', 'proposer', taken);
    expect(await look()).toEqual({ user: 'proposer', lacking });
    await admin.call('ACL', 'SETUSER', 'proposer', ...lacking.join(' ').split(' '));
    expect(await look(), 'with what is named').toEqual({ user: 'proposer', lacking: [] });
  });

  const BEFORE_GREETINGS = '-@all +hello +info +config|get +cluster|nodes +eval +evalsha +hmget +hset +get'.split(' ');
  const RIGHTS = [...BEFORE_GREETINGS, '+mget', '+set'];

  it.each([
    ['may not touch registers', ['~identity', '~beats', '~eras', '~identity:*'], ['+hmget ~r:*', '+hset ~r:*']],
    ['may only read the floor', ['~r:*', '~identity', '~beats', '~eras', '%R~identity:*'], ['~r:* ~identity ~identity:*']],
    [
      'may not count beats',
      ['~r:*', '~identity', '~beats', '~eras', '~identity:*', '-mget', '-set'],
      ['+mget ~identity ~beats', '+set ~beats', '+set ~identity'],
    ],
  ])('%s', async (_, keys, lacking) => {
    await admin.call('ACL', 'SETUSER', 'proposer', 'resetkeys', 'clearselectors', ...RIGHTS, ...keys);
    expect(await look()).toEqual({ user: 'proposer', lacking });
    await admin.call('ACL', 'SETUSER', 'proposer', ...lacking.join(' ').split(' '));
    expect(await look(), 'with what is named').toEqual({ user: 'proposer', lacking: [] });
  });

  it('is enough with the users of a version without greetings', async () => {
    await admin.call('ACL', 'SETUSER', 'proposer', 'resetkeys', 'clearselectors', '~r:*', '~identity', '~identity:*', ...BEFORE_GREETINGS);
    expect(await look()).toEqual({ user: 'proposer', lacking: [] });
  });

  it('is nothing where its password is another one', async () => {
    expect(await lookAtRights(server.address, { username: 'proposer', password: 'another' }, TIMEOUT_MS)).toEqual({
      user: 'proposer',
      lacking: [],
      refusal: expect.stringMatching(/^WRONGPASS/) as unknown,
    });
  });

  it('is not known of one that does not answer', async () => {
    const gone = await RedisServer.start();
    await gone.stop();
    await expect(lookAtRights(gone.address, {}, TIMEOUT_MS)).rejects.toThrow();
  });
});
