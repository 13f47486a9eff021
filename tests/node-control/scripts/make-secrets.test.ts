import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { formatBallot } from '../../../src/protocol/ballot.js';
import { RedisAcceptor } from '../../../src/redis/redis-acceptor.js';
import { RedisAdmin } from '../../../src/redis/redis-admin.js';
import { sendBytes } from '../../raw-http.js';
import { RedisServer } from '../../redis-server.js';

const SCRIPT = fileURLToPath(new URL('../../../node-control/scripts/make-secrets.sh', import.meta.url));
const TIMEOUT_MS = 5_000;
const b = (counter: number): { era: number; counter: number; proposer: number; incarnation: number } => ({
  ...{ era: 1, counter, proposer: 1, incarnation: 1 },
});
const run = promisify(execFile);

const parent = mkdtempSync(join(tmpdir(), 'secrets-'));
const folder = join(parent, 'made', 'here');
const secret = (name: string): string => readFileSync(join(folder, name), 'utf8');
let server: RedisServer;

beforeAll(async () => {
  await run('bash', [SCRIPT, folder]);
  server = await RedisServer.start(['--aclfile', join(folder, 'users.acl')]);
});
afterAll(async () => {
  await server.stop();
  rmSync(parent, { recursive: true });
});

/** What Redis answers to a command of a user; the error's first words where it refuses. */
async function as(user: 'proposer' | 'control', ...[command, ...args]: [string, ...string[]]): Promise<unknown> {
  const login = { username: user, password: secret(`${user}-password`) };
  const redis = new Redis({
    host: '127.0.0.1',
    port: server.port,
    ...login,
    lazyConnect: true,
    retryStrategy: () => null,
    disableClientInfo: true,
    enableReadyCheck: false,
  });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await redis.call(command, ...args);
  } catch (error) {
    return error instanceof Error ? error.message : error;
  } finally {
    redis.disconnect();
  }
}

/** Users as they were before registers were copied. */
function withoutCopies(users: string): string {
  return users.replace(' (~r:* +hset)', '').replace(/^(user control .*) \+evalsha/m, '$1');
}

describe('the secrets', () => {
  it('are made once, in a folder for its owner alone, readable there for the users of containers', async () => {
    const before = readdirSync(folder).map((name) => [name, secret(name)]);
    expect(before.map(([name]) => name).sort()).toEqual(['admin-token', 'control-password', 'proposer-password', 'users.acl']);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o644);
    for (const name of ['admin-token', 'control-password', 'proposer-password']) expect(secret(name)).toMatch(/^[0-9a-f]{64}$/);
    await run('bash', [SCRIPT, folder]);
    expect(readdirSync(folder).map((name) => [name, secret(name)])).toEqual(before);
    expect(new Set([secret('admin-token'), secret('control-password'), secret('proposer-password')]).size).toBe(3);
    expect(secret('users.acl')).not.toContain(secret('proposer-password'));
  });

  it('are those of one, where several make them at once', async () => {
    const shared = join(parent, 'shared');
    await Promise.all(Array.from({ length: 5 }, () => run('bash', [SCRIPT, shared])));
    expect(readdirSync(shared)).toHaveLength(4);
    expect(readdirSync(parent).filter((name) => name.startsWith('shared'))).toEqual(['shared']);
  });

  it('are given the rights again that somebody changed, and are told of where others could read them', async () => {
    const open = join(parent, 'with a space');
    expect((await run('bash', [SCRIPT, `${open}/`])).stderr).toBe('');
    const before = readFileSync(join(open, 'admin-token'), 'utf8');
    chmodSync(open, 0o755);
    chmodSync(join(open, 'users.acl'), 0o600);
    expect((await run('bash', [SCRIPT, open])).stderr).toContain('had other rights');
    expect([statSync(open).mode & 0o777, statSync(join(open, 'users.acl')).mode & 0o777]).toEqual([0o700, 0o644]);
    expect(readFileSync(join(open, 'admin-token'), 'utf8')).toBe(before);
  });

  it('of an older version may be asked for settings from now on', async () => {
    const old = join(parent, 'old');
    await run('bash', [SCRIPT, old]);
    const users = join(old, 'users.acl');
    const before = readFileSync(users, 'utf8');
    writeFileSync(users, before.replaceAll(' +config|get', ''));
    expect((await run('bash', [SCRIPT, old])).stderr).toContain('+config|get');
    expect(readFileSync(users, 'utf8')).toBe(before);
    expect((await run('bash', [SCRIPT, old])).stderr).toBe('');
  });

  it('of a version without greetings may count beats from now on', async () => {
    const old = join(parent, 'ungreeted');
    await run('bash', [SCRIPT, old]);
    const users = join(old, 'users.acl');
    const before = readFileSync(users, 'utf8');
    writeFileSync(
      users,
      withoutCopies(before)
        .replace(' ~beats ~eras', '')
        .replaceAll(/ \(.*\)/g, ''),
    );
    expect(readFileSync(users, 'utf8')).not.toMatch(/~beats|\(/);
    expect((await run('bash', [SCRIPT, old])).stderr).toContain('~beats');
    expect(readFileSync(users, 'utf8')).toBe(before);
    expect((await run('bash', [SCRIPT, old])).stderr).toBe('');
  });

  it('of a version without collections may collect from now on', async () => {
    const old = join(parent, 'uncollected');
    await run('bash', [SCRIPT, old]);
    const users = join(old, 'users.acl');
    const before = readFileSync(users, 'utf8');
    writeFileSync(users, withoutCopies(before).replace(' (~identity:floor* +set) (~r:* +unlink)', ''));
    expect(readFileSync(users, 'utf8')).not.toMatch(/floor|unlink/);
    expect((await run('bash', [SCRIPT, old])).stderr).toContain('+unlink');
    expect(readFileSync(users, 'utf8')).toBe(before);
    expect((await run('bash', [SCRIPT, old])).stderr).toBe('');
  });

  it('of a version without copies may copy registers from now on', async () => {
    const old = join(parent, 'uncopied');
    await run('bash', [SCRIPT, old]);
    const users = join(old, 'users.acl');
    const before = readFileSync(users, 'utf8');
    writeFileSync(users, withoutCopies(before));
    expect(readFileSync(users, 'utf8')).not.toMatch(/control.*(hset|evalsha)/);
    expect((await run('bash', [SCRIPT, old])).stderr).toContain('+hset');
    expect(readFileSync(users, 'utf8')).toBe(before);
    expect((await run('bash', [SCRIPT, old])).stderr).toBe('');
  });

  it('of a version that did not look for proposers that are left out may see which run from now on', async () => {
    const old = join(parent, 'unseen');
    await run('bash', [SCRIPT, old]);
    const users = join(old, 'users.acl');
    const before = readFileSync(users, 'utf8');
    writeFileSync(users, before.replace(' +hgetall', ''));
    expect(readFileSync(users, 'utf8')).not.toMatch(/hgetall/);
    expect((await run('bash', [SCRIPT, old])).stderr).toContain('+hgetall');
    expect(readFileSync(users, 'utf8')).toBe(before);
    expect((await run('bash', [SCRIPT, old])).stderr).toBe('');
  });

  it.each(['missing', 'empty', 'a folder'])('are not taken for whole where a file is %s; the folder is left as it is', async (state) => {
    const broken = join(parent, state);
    await run('bash', [SCRIPT, broken]);
    const file = join(broken, 'control-password');
    rmSync(file);
    if (state === 'empty') writeFileSync(file, '');
    if (state === 'a folder') mkdirSync(file);
    chmodSync(broken, 0o755);
    await expect(run('bash', [SCRIPT, broken])).rejects.toMatchObject({
      code: 1,
      stderr: `${broken} is there without control-password. Stop the cluster and remove the folder: the next start makes new secrets.\n`,
    });
    expect(statSync(broken).mode & 0o777).toBe(0o755);
  });

  it('are made nowhere else: an option is not taken for a folder, nor a file for one', async () => {
    await expect(run('bash', [SCRIPT, '--force'], { cwd: parent })).rejects.toMatchObject({ code: 2 });
    writeFileSync(join(parent, 'file'), '');
    await expect(run('bash', [SCRIPT, join(parent, 'file')])).rejects.toMatchObject({ code: 1 });
    expect(readdirSync(parent).filter((name) => name.startsWith('file') || name.startsWith('-'))).toEqual(['file']);
  });
});

describe('an acceptor with these users', () => {
  it('does nothing for who has no password, or a wrong one', async () => {
    for (const command of ['PING', 'GET x', 'HMGET r:x promise', 'INFO', 'CONFIG GET x', 'FLUSHALL'])
      expect(await sendBytes(server.address, `${command}\r\n`)).toMatch(/^-NOAUTH/);
    const wrong = new Redis({ port: server.port, username: 'control', password: 'wrong', lazyConnect: true, retryStrategy: () => null });
    wrong.on('error', () => undefined);
    await expect(wrong.connect().then(() => wrong.ping())).rejects.toThrow();
    wrong.disconnect();
  });

  it.each(['proposer', 'control'] as const)('tells the %s how it is set up', async (user) => {
    expect(await as(user, 'CONFIG', 'GET', 'appendfsync')).toEqual(['appendfsync', 'always']);
    expect(await as(user, 'INFO', 'persistence')).toContain('aof_enabled:1');
  });

  it('plays its role for the proposers', async () => {
    const admin = new RedisAdmin(server.address, TIMEOUT_MS, { username: 'control', password: secret('control-password') });
    onTestFinished(() => admin.close());
    await admin.connect();
    expect(await admin.adopt('acceptor-1:6379#me')).toBe('acceptor-1:6379#me');
    const access = { username: 'proposer', password: secret('proposer-password') };
    const acceptor = new RedisAcceptor({ address: server.address, access, identity: 'acceptor-1:6379#me', timeoutMs: TIMEOUT_MS });
    onTestFinished(() => acceptor.close());
    await vi.waitFor(() => expect(acceptor.state).toBe('ready'), { timeout: 5_000 });
    expect(await acceptor.prepare('k', b(1))).toMatchObject({ ok: true });
    expect(await acceptor.accept('k', b(1), 'v', b(2))).toEqual({ ok: true });
    expect(await acceptor.read('k')).toMatchObject({ value: 'v' });
    expect(await acceptor.read('absent')).toMatchObject({ value: null });

    expect([await admin.size(), await admin.highestEra(), await admin.identity()]).toEqual([1, 1, 'acceptor-1:6379#me']);
    await as('proposer', 'HSET', 'eras', '2', '50');
    expect(await admin.eras()).toEqual(new Map([[2, 50]]));
    const keys: string[] = [];
    for await (const page of admin.keys()) keys.push(...page);
    expect(keys).toEqual(['k']);
    const ballot = formatBallot(b(1));
    expect(await admin.copy(1, [{ key: 'copied', ballot, value: 'v' }])).toEqual([ballot]);
    expect([await admin.holdings(['copied']), await admin.accepted(['k'])]).toEqual([[`${ballot}:1`], [{ key: 'k', ballot, value: 'v' }]]);
    await admin.raiseFloor({ era: 2, version: 1 });
    expect(await admin.erase(2, [{ key: 'copied', ballot: b(1), version: 1 }])).toBe(1);
    expect(await admin.erase(2, [{ key: 'k', ballot: b(1), version: 1 }])).toBe(1);
    expect([await admin.size(), await admin.floor(), await admin.remains(['k'])]).toEqual([0, { era: 2, version: 1 }, [undefined]]);
    expect(await acceptor.prepare('k', b(9))).toMatchObject({ ok: false, conflict: { era: 2 } });
    expect(await acceptor.prepare('k', { ...b(1), era: 2 })).toMatchObject({ ok: true, floor: 1 });
    expect(await admin.wipe({ identity: 'acceptor-1:6379#me' })).toBe(1);
  });

  it('plays it also with the users of a version without greetings, and says what is then not noticed', async () => {
    const users = join(parent, 'earlier.acl');
    writeFileSync(
      users,
      secret('users.acl')
        .replace(' ~beats ~eras', '')
        .replaceAll(/ \(.*\)/g, ''),
    );
    const earlier = await RedisServer.start(['--aclfile', users]);
    onTestFinished(() => earlier.stop());
    const admin = new RedisAdmin(earlier.address, TIMEOUT_MS, { username: 'control', password: secret('control-password') });
    onTestFinished(() => admin.close());
    await admin.connect();
    expect(await admin.adopt('acceptor-1:6379#me')).toBe('acceptor-1:6379#me');
    const access = { username: 'proposer', password: secret('proposer-password') };
    const news: unknown[] = [];
    const meaning = (identity: string): RedisAcceptor => {
      const onState = (...told: unknown[]): void => void news.push(told);
      const acceptor = new RedisAcceptor({ address: earlier.address, access, identity, timeoutMs: TIMEOUT_MS, onState });
      onTestFinished(() => acceptor.close());
      return acceptor;
    };
    const acceptor = meaning('acceptor-1:6379#me');
    await vi.waitFor(() => expect(acceptor.state).toBe('ready'), { timeout: 5_000 });
    expect(news).toEqual([['ready', expect.stringContaining('if its disk goes back in time, nobody notices')]]);
    expect(await acceptor.prepare('k', b(1))).toMatchObject({ ok: true });
    const another = meaning('acceptor-1:6379#another');
    await vi.waitFor(() => expect(another.state).toBe('stranger'), { timeout: 5_000 });
    expect([await admin.eras(), (await admin.fitness('served')).cautions.join()]).toEqual([
      undefined,
      expect.stringContaining('(~eras +hgetall)'),
    ]);
    expect(await admin.wipe({ identity: 'acceptor-1:6379#me' })).toBe(1);
  });

  const forbidden: ['proposer' | 'control', [string, ...string[]][]][] = [
    [
      'proposer',
      [
        ['FLUSHALL'],
        ['DEL', 'r:k'],
        ['UNLINK', 'r:k'],
        ['SET', 'identity:floor', '9.9'],
        ['SCAN', '0'],
        ['KEYS', '*'],
        ['SET', 'other', 'x'],
        ['SET', 'r:k', 'x'],
        ['GET', 'other'],
        ['HSET', 'other', 'a', 'b'],
        ['EVAL', "return redis.call('FLUSHALL')", '0'],
        ['EVAL', "return redis.call('DEL', KEYS[1])", '1', 'r:k'],
        ['EVAL', "return redis.call('HSET', 'other', 'a', 'b')", '0'],
        ['CLIENT', 'KILL', 'TYPE', 'normal'],
      ],
    ],
    [
      'control',
      [
        ['SET', 'identity', 'x'],
        ['DEL', 'r:k'],
        ['FLUSHDB'],
        ['UNLINK', 'identity'],
        ['HGETALL', 'r:k'],
        ['EVAL', "return redis.call('HSET', 'identity:floor', 'a', 'b')", '0'],
        ['EVAL', "return redis.call('SET', 'r:k', 'a')", '0'],
      ],
    ],
  ];
  const nobody: [string, ...string[]][] = [
    ['CONFIG', 'SET', 'appendonly', 'no'],
    ['CONFIG', 'REWRITE'],
    ['CONFIG', 'RESETSTAT'],
    ['ACL', 'LIST'],
    ['ACL', 'SETUSER', 'default', 'on', 'nopass', '+@all', '~*'],
    ['SHUTDOWN'],
    ['MONITOR'],
    ['REPLICAOF', '127.0.0.1', '1'],
    ['MODULE', 'LIST'],
    ['FUNCTION', 'LIST'],
    ['SCRIPT', 'FLUSH'],
    ['BGREWRITEAOF'],
    ['SAVE'],
    ['MIGRATE', '127.0.0.1', '1', 'r:k', '0', '10'],
    ['PUBLISH', 'a', 'b'],
    ['CLIENT', 'LIST'],
  ];
  it.each(forbidden.flatMap(([user, commands]) => [...commands, ...nobody].map((command) => [user, command] as const)))(
    'does not do for the %s: %j',
    async (user, command) => {
      expect(await as(user, ...command)).toMatch(/^NOPERM|can't run this command|No permissions to access a key|can't access/);
    },
  );
});
