import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { NotRun, TimedOut } from '../../../src/protocol/errors.js';
import { RedisAcceptor, type RedisAcceptorOptions } from '../../../src/redis/redis-acceptor.js';
import { NoRegister, RefusedToRun } from '../../../src/redis/refusals.js';
import { answering, FakeRedis } from '../fake-redis.js';
import { b, HANG_MS, ME, TIMEOUT_MS } from '../meant-acceptor.js';
import { freePort, RedisServer } from '../../redis-server.js';

const KEY = 'k';
const opened: { close: () => void }[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

/** A real server, somebody who may do all, and an acceptor that is connected to it. */
async function serverWith(
  args: readonly string[] = [],
  user = '',
  options: Pick<RedisAcceptorOptions, 'identityKeys'> = {},
): Promise<{ admin: Redis; acceptor: RedisAcceptor; server: RedisServer }> {
  const server = await RedisServer.start(args);
  onTestFinished(() => server.stop());
  const admin = new Redis({ host: '127.0.0.1', port: server.port, maxRetriesPerRequest: null });
  opened.push({ close: () => admin.disconnect() });
  if (user !== '') await admin.call('ACL', 'SETUSER', 'limited', 'on', '>word', ...user.split(' '));
  const access = user === '' ? {} : { access: { username: 'limited', password: 'word' } };
  const acceptor = new RedisAcceptor({ address: server.address, timeoutMs: TIMEOUT_MS, fitnessEveryMs: 60_000, ...access, ...options });
  opened.push(acceptor);
  await vi.waitFor(() => expect(acceptor.state).toBe('ready'), { timeout: HANG_MS, interval: 5 });
  return { admin, acceptor, server };
}

const acceptOf = (acceptor: RedisAcceptor, value = 'v'): Promise<unknown> => acceptor.accept(KEY, b(1), value, b(2));
const errorOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'no error',
    (error: unknown) => error,
  );

async function expectRefusal(acceptor: RedisAcceptor, reason: string): Promise<void> {
  for (const error of await Promise.all([errorOf(acceptOf(acceptor)), errorOf(acceptor.prepare(KEY, b(1)))])) {
    expect(error).toBeInstanceOf(RefusedToRun);
    expect(error).toMatchObject({
      reason,
      message: expect.stringMatching(new RegExp(`^${reason}, \\w`)) as string,
    });
  }
}

/** What was refused stays undone when the cause is gone, and the next message is run. */
async function expectUntouched(acceptor: RedisAcceptor, admin: Redis): Promise<void> {
  expect(await admin.hgetall(`r:${KEY}`)).toEqual({});
  expect(await acceptOf(acceptor)).toEqual({ ok: true });
}

describe('an accept that a server refuses to run', () => {
  it.each([
    ['OOM', { maxmemory: '1' }, { maxmemory: '0' }],
    ['NOREPLICAS', { 'min-replicas-to-write': '1' }, { 'min-replicas-to-write': '0' }],
  ])('with %s has changed nothing, and never will', async (reason, broken, mended) => {
    const { admin, acceptor } = await serverWith();
    for (const [setting, value] of Object.entries(broken)) await admin.config('SET', setting, value);
    await expectRefusal(acceptor, reason);
    for (const [setting, value] of Object.entries(mended)) await admin.config('SET', setting, value);
    await expectUntouched(acceptor, admin);
  });

  it('with READONLY or MASTERDOWN, as a replica, has changed nothing', async () => {
    const { admin, acceptor } = await serverWith();
    await admin.call('REPLICAOF', '127.0.0.1', '1');
    await expectRefusal(acceptor, 'READONLY');
    await admin.config('SET', 'replica-serve-stale-data', 'no');
    await expectRefusal(acceptor, 'MASTERDOWN');
    await admin.call('REPLICAOF', 'NO', 'ONE');
    await expectUntouched(acceptor, admin);
  });

  it('with MISCONF, where a snapshot failed, has changed nothing', async () => {
    const { admin, acceptor, server } = await serverWith(['--dbfilename', 'taken', '--save', '3600', '1']);
    await mkdir(join(server.directory, 'taken'));
    await admin.call('BGSAVE');
    await vi.waitFor(async () => expect(await admin.info('persistence')).toContain('rdb_last_bgsave_status:err'), { timeout: HANG_MS });
    await expectRefusal(acceptor, 'MISCONF');
    await admin.config('SET', 'save', '');
    await expectUntouched(acceptor, admin);
  });

  it.each([
    ['a command of the script', '-hset', '+hset'],
    ['scripts', '-eval -evalsha', '+eval +evalsha'],
    ['the keys', 'resetkeys', '~*'],
  ])('with NOPERM, where %s is forbidden, has changed nothing', async (_, forbidden, allowed) => {
    const { admin, acceptor } = await serverWith([], '~* +@all');
    await admin.call('ACL', 'SETUSER', 'limited', ...forbidden.split(' '));
    await expectRefusal(acceptor, 'NOPERM');
    await admin.call('ACL', 'SETUSER', 'limited', ...allowed.split(' '));
    await expectUntouched(acceptor, admin);
  });

  it('with BUSY, while another script runs, has changed nothing', async () => {
    const { admin, acceptor, server } = await serverWith(['--busy-reply-threshold', '20']);
    const other = new Redis({ host: '127.0.0.1', port: server.port });
    opened.push({ close: () => other.disconnect() });
    const killed = errorOf(other.eval('while true do end', 0));
    await vi.waitFor(() => expect(admin.ping()).rejects.toThrow(/^BUSY/), { timeout: HANG_MS });
    await expectRefusal(acceptor, 'BUSY');
    await admin.call('SCRIPT', 'KILL');
    await killed;
    await expectUntouched(acceptor, admin);
  });

  it.each([
    ['CLUSTERDOWN', [0, 100], (register: string) => `identity:{${register}}`],
    ['CROSSSLOT', [0, 16_383], () => 'identity'],
  ] as const)('with %s, as a node of a Redis Cluster, has changed nothing', async (reason, slots, of) => {
    const identityKeys = { of, met: () => Promise.resolve(undefined) };
    const { admin, acceptor } = await serverWith(['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())], '', {
      identityKeys,
    });
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', ...slots);
    await vi.waitFor(() => expectRefusal(acceptor, reason), { timeout: HANG_MS });
    expect(await admin.dbsize()).toBe(0);
  });

  it('for want of memory is run where it keeps the value or makes it smaller, and not where it brings a longer one', async () => {
    const { admin, acceptor } = await serverWith();
    const [small, large] = ['v', 'v'.repeat(5_000)];
    expect(await acceptor.accept(KEY, b(1), small, b(2))).toEqual({ ok: true });
    await admin.config('SET', 'maxmemory', '1');
    expect(await acceptor.prepare(KEY, b(3), true)).toMatchObject({ ok: true, value: small });
    await expect(acceptor.accept(KEY, b(3), large, b(4), true)).rejects.toThrow(/^OOM, /);
    expect(await acceptor.accept(KEY, b(3), small, b(4), true)).toEqual({ ok: true });
    expect(await admin.hget(`r:${KEY}`, 'value')).toBe(small);
  });

  it('says where something else is in place of the register', async () => {
    const { admin, acceptor } = await serverWith();
    await admin.set(`r:${KEY}`, 'by hand');
    for (const call of [acceptOf(acceptor), acceptor.prepare(KEY, b(1)), acceptor.read(KEY)]) {
      const error = await errorOf(call);
      expect(error).toBeInstanceOf(NoRegister);
      // Nobody knows what it was before.
      expect(error).not.toBeInstanceOf(NotRun);
    }
    expect(await admin.get(`r:${KEY}`)).toBe('by hand');
  });

  it('says in words what is wrong', async () => {
    const { admin, acceptor } = await serverWith();
    await admin.config('SET', 'maxmemory', '1');
    await expect(acceptOf(acceptor)).rejects.toThrow(/^OOM, its memory is full$/);
  });
});

describe('an accept whose end is open is no refusal:', () => {
  it('the server stands still, and runs it later', async () => {
    const { admin, acceptor, server } = await serverWith();
    server.pause();
    const error = await errorOf(acceptOf(acceptor));
    server.resume();
    expect(error).toBeInstanceOf(TimedOut);
    expect(error).toHaveProperty('message', `slow or stopped, no answer in ${TIMEOUT_MS} ms`);
    await vi.waitFor(async () => expect(await admin.hget(`r:${KEY}`, 'value')).toBe('v'), { timeout: HANG_MS });
  });

  it('the connection is lost', async () => {
    const { acceptor, server } = await serverWith();
    server.pause();
    const error = errorOf(acceptOf(acceptor));
    await server.kill9();
    expect(await error).not.toBeInstanceOf(RefusedToRun);
  });

  it.each(['ERR upstream failure', 'ERR OOM somewhere', 'OOMPH', 'ERR Error running script: READONLY'])(
    'the answer is "%s", which may be a proxy\'s',
    async (answer) => {
      const redis = await FakeRedis.start((command, socket) =>
        command.startsWith('eval') ? `-${answer}\r\n` : answering(ME)(command, socket),
      );
      onTestFinished(() => redis.stop());
      const acceptor = new RedisAcceptor({ address: redis.address, timeoutMs: TIMEOUT_MS });
      opened.push(acceptor);
      await vi.waitFor(() => expect(acceptor.state).toBe('ready'), { timeout: HANG_MS, interval: 5 });
      const error = await errorOf(acceptOf(acceptor));
      expect(error).toHaveProperty('name', 'ReplyError');
    },
  );
});
