import { afterEach, beforeAll, afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { UnfitAcceptor } from '../../../src/protocol/errors.js';
import { cautionsOf, type Flaw, unfitnessOf } from '../../../src/redis/fitness.js';
import { memoryText } from '../../../src/redis/memory-use.js';
import { RedisAcceptor } from '../../../src/redis/redis-acceptor.js';
import { RedisAdmin } from '../../../src/redis/redis-admin.js';
import { RedisClusterAdmin } from '../../../src/redis/redis-cluster-admin.js';
import { RedisClusterAcceptor } from '../../../src/redis/redis-cluster.js';
import { RedisClusterServers } from '../../redis-cluster-servers.js';
import { RedisServer } from '../../redis-server.js';
import { b, becomes, HANG_MS, ME, messages } from '../meant-acceptor.js';

const TIMEOUT_MS = 2_000;
const LOOK_EVERY_MS = 50;

interface Seen {
  readonly acceptor: RedisAcceptor;
  /** All that it told of itself. */
  readonly news: [state: string, remark: string][];
}

function watched(address: string, identity?: string): Seen {
  const news: [string, string][] = [];
  const onState = (state: string, remark = ''): void => void news.push([state, remark]);
  const acceptor = new RedisAcceptor({ address, identity, timeoutMs: TIMEOUT_MS, fitnessEveryMs: LOOK_EVERY_MS, onState });
  onTestFinished(() => acceptor.close());
  return { acceptor, news };
}

async function started(...args: string[]): Promise<RedisServer> {
  const server = await RedisServer.start(args);
  onTestFinished(() => server.stop());
  return server;
}

const told = (server: RedisServer, command: string, ...args: (string | number)[]): Promise<unknown> =>
  server.ask((redis) => redis.call(command, ...args));

async function flawsOf(server: RedisServer, known: 'nothing' | 'no file' = 'nothing'): Promise<readonly Flaw[]> {
  const admin = new RedisAdmin(server.address, TIMEOUT_MS);
  try {
    await admin.connect();
    return (await admin.fitness(known)).flaws;
  } finally {
    admin.close();
  }
}

async function refusesAll(acceptor: RedisAcceptor): Promise<void> {
  for (const [, send] of messages) await expect(send(acceptor, 'k')).rejects.toThrow(UnfitAcceptor);
}

/** The command that a message tells its reader to type, up to the comma. */
const commandIn = (text: string): string[] => /(CONFIG SET [^,]+),/.exec(text)?.[1]?.split(' ') ?? [];

/** Settings that are mended while the server runs. */
const WRONG: [setting: string, value: string, args: string[]][] = [
  ['appendonly', 'no', ['--appendonly', 'no']],
  ['appendfsync', 'everysec', ['--appendfsync', 'everysec']],
  ['appendfsync', 'no', ['--appendfsync', 'no']],
  ['no-appendfsync-on-rewrite', 'yes', ['--no-appendfsync-on-rewrite', 'yes']],
  ['maxmemory-policy', 'allkeys-random', ['--maxmemory', '3mb', '--maxmemory-policy', 'allkeys-random']],
  ['maxmemory-policy', 'allkeys-lru', ['--maxmemory', '3mb', '--maxmemory-policy', 'allkeys-lru']],
  ['maxmemory-policy', 'volatile-ttl', ['--maxmemory', '3mb', '--maxmemory-policy', 'volatile-ttl']],
];

describe('a server that was started with', () => {
  it.each(WRONG)('%s %s is sent nothing, and is used once the command that it names was given', async (setting, value, args) => {
    const server = await started(...args);
    const { acceptor, news } = watched(server.address);
    await becomes(acceptor, 'unfit');
    await refusesAll(acceptor);
    expect(await told(server, 'DBSIZE')).toBe(0);
    expect(await flawsOf(server)).toEqual([{ setting, value, mend: expect.stringMatching(/^CONFIG SET /) as string }]);
    expect(news).toEqual([['unfit', expect.stringMatching(new RegExp(`^${setting} is ${value}\\. CONFIG SET ${setting} `))]]);
    const [command = '', ...words] = commandIn(acceptor.flaws);
    await told(server, command, ...words);
    await becomes(acceptor, 'ready');
    expect(await acceptor.prepare('k', b(1))).toMatchObject({ ok: true });
    await vi.waitFor(async () => expect(await flawsOf(server, 'no file')).toEqual([]), HANG_MS);
    expect([news.length, acceptor.flaws]).toEqual([2, '']);
  });

  it('several of them says so of each', async () => {
    const server = await started('--appendonly', 'no', '--appendfsync', 'no', '--maxmemory', '3mb', '--maxmemory-policy', 'allkeys-lfu');
    expect((await flawsOf(server)).map(({ setting }) => setting)).toEqual(['appendonly', 'appendfsync', 'maxmemory-policy']);
  });

  it('an evicting policy and no limit is used: nothing is ever evicted', async () => {
    expect(await flawsOf(await started('--maxmemory-policy', 'allkeys-lru'))).toEqual([]);
  });
});

describe('an acceptor that is in use', () => {
  it('is sent nothing from when a setting was made wrong until it is right again', async () => {
    const server = await started();
    await told(server, 'SET', 'identity', ME);
    const { acceptor, news } = watched(server.address, ME);
    await becomes(acceptor, 'ready');
    for (const [setting, wrong, right] of [
      ['appendfsync', 'everysec', 'always'],
      ['appendonly', 'no', 'yes'],
    ] as const) {
      await told(server, 'CONFIG', 'SET', setting, wrong);
      await becomes(acceptor, 'unfit');
      await refusesAll(acceptor);
      await told(server, 'CONFIG', 'SET', setting, right);
      await becomes(acceptor, 'ready');
    }
    expect(news.map(([state]) => state)).toEqual(['ready', 'unfit', 'ready', 'unfit', 'ready']);
    expect(await acceptor.prepare('k', b(1))).toMatchObject({ ok: true });
  });

  it('stays a stranger if it is one, whatever its settings are', async () => {
    const server = await started('--appendfsync', 'everysec');
    const { acceptor, news } = watched(server.address, ME);
    await becomes(acceptor, 'stranger');
    await told(server, 'CONFIG', 'SET', 'appendfsync', 'always');
    await new Promise((resolve) => setTimeout(resolve, 5 * LOOK_EVERY_MS));
    expect(news.map(([state]) => state)).toEqual(['stranger']);
  });

  it('may rewrite its file at any time', async () => {
    const server = await started('--rdb-key-save-delay', '200000');
    const { acceptor, news } = watched(server.address);
    await becomes(acceptor, 'ready');
    for (let key = 0; key < 10; key += 1) await acceptor.prepare(`k${key}`, b(1));
    await told(server, 'BGREWRITEAOF');
    await new Promise((resolve) => setTimeout(resolve, 5 * LOOK_EVERY_MS));
    expect(await told(server, 'INFO', 'persistence')).toContain('aof_rewrite_in_progress:1');
    expect(news).toEqual([['ready', '']]);
  });

  it('that was looked at in vain stays as it was', async () => {
    const server = await started();
    const { acceptor, news } = watched(server.address);
    await becomes(acceptor, 'ready');
    await told(server, 'ACL', 'SETUSER', 'default', '-info');
    await new Promise((resolve) => setTimeout(resolve, 5 * LOOK_EVERY_MS));
    expect(news.map(([state]) => state)).toEqual(['ready']);
    await told(server, 'ACL', 'SETUSER', 'default', '+info');
    await told(server, 'CONFIG', 'SET', 'appendfsync', 'no');
    await becomes(acceptor, 'unfit');
  });
});

describe('the first rewrite', () => {
  /** Slow enough to be looked at: ten keys, a fifth of a second each. */
  async function withoutFile(): Promise<RedisServer> {
    const server = await started('--appendonly', 'no', '--rdb-key-save-delay', '200000');
    for (let key = 0; key < 10; key += 1) await told(server, 'SET', `key ${key}`, '');
    return server;
  }

  it('has to end before the acceptor is used, for who meets it now', async () => {
    const server = await withoutFile();
    await told(server, 'CONFIG', 'SET', 'appendonly', 'yes');
    const { acceptor } = watched(server.address);
    await becomes(acceptor, 'unfit');
    expect(acceptor.flaws).toMatch(/^appendonly is yes, and its first rewrite has not ended\. Wait until/);
    await refusesAll(acceptor);
    await becomes(acceptor, 'ready');
    expect(await told(server, 'INFO', 'persistence')).toContain('aof_rewrite_in_progress:0');
  });

  it('has to end also if it had a file before, for who saw it without, and for who lets it join', async () => {
    const server = await withoutFile();
    await told(server, 'CONFIG', 'SET', 'rdb-key-save-delay', 0);
    await told(server, 'CONFIG', 'SET', 'appendonly', 'yes');
    await vi.waitFor(async () => expect(await flawsOf(server)).toEqual([]), HANG_MS);
    await told(server, 'CONFIG', 'SET', 'rdb-key-save-delay', 200_000);
    await told(server, 'CONFIG', 'SET', 'appendonly', 'no');
    const { acceptor } = watched(server.address);
    await becomes(acceptor, 'unfit');
    await told(server, 'CONFIG', 'SET', 'appendonly', 'yes');
    await vi.waitFor(() => expect(acceptor.flaws).toContain('its first rewrite has not ended'), { timeout: HANG_MS, interval: 5 });
    expect(await flawsOf(server, 'no file')).toHaveLength(1);
    await becomes(acceptor, 'ready');
    expect(await told(server, 'INFO', 'persistence')).toContain('aof_rewrite_in_progress:0');
  });
});

describe('a server that forgot, or may be made to forget, by others', () => {
  it('is refused once it has evicted a key, until it was wiped and says that it has not', async () => {
    const server = await started('--maxmemory', '3mb', '--maxmemory-policy', 'allkeys-random');
    for (let key = 0; key < 100; key += 1) await told(server, 'SET', `key ${key}`, 'x'.repeat(50_000));
    await told(server, 'CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    const { acceptor } = watched(server.address);
    await becomes(acceptor, 'unfit');
    expect(acceptor.flaws).toMatch(/^evicted_keys is \d+\. It has forgotten registers: .*wipe-acceptor.*CONFIG RESETSTAT/);
    await told(server, 'FLUSHALL', 'SYNC');
    await told(server, 'CONFIG', 'RESETSTAT');
    await becomes(acceptor, 'ready');
  });

  it('is refused while it has a replica; the replica is, and stays so when it is a master, until it is started again', async () => {
    const [master, replica] = [await started('--repl-diskless-sync-delay', '0'), await started()];
    const [first, second] = [watched(master.address).acceptor, watched(replica.address).acceptor];
    await becomes(first, 'ready');
    await becomes(second, 'ready');
    await told(replica, 'REPLICAOF', '127.0.0.1', master.port);
    await becomes(first, 'unfit');
    await becomes(second, 'unfit');
    expect(first.flaws).toMatch(/^connected_slaves is 1\. REPLICAOF NO ONE at each replica/);
    expect(second.flaws).toMatch(/^role is slave\./);
    await vi.waitFor(async () => expect(await told(replica, 'INFO', 'replication')).toContain('master_link_status:up'), HANG_MS);
    await told(replica, 'REPLICAOF', 'NO', 'ONE');
    await becomes(first, 'ready');
    await vi.waitFor(() => expect(second.flaws).toMatch(/^master_replid2 is [0-9a-f]{40}\. It was a replica/), HANG_MS);
    await told(replica, 'FLUSHALL', 'SYNC');
    await replica.kill9();
    await replica.start();
    await becomes(second, 'ready');
  });
});

describe('a server that does not let CONFIG GET through', () => {
  async function silent(...args: string[]): Promise<RedisServer> {
    const server = await started(...args);
    await told(server, 'ACL', 'SETUSER', 'default', '-config|get');
    return server;
  }

  it('is refused, until it does', async () => {
    const server = await silent();
    const { acceptor } = watched(server.address);
    await becomes(acceptor, 'unfit');
    expect(acceptor.flaws).toMatch(/^CONFIG GET is refused \(NOPERM .*\)\. Give its user the right \(\+config\|get\)/);
    await told(server, 'ACL', 'SETUSER', 'default', '+config|get');
    await becomes(acceptor, 'ready');
  });

  it('is used if the address map says so, and that is remarked; what INFO tells counts still', async () => {
    const server = await silent('--appendfsync', 'everysec');
    const { acceptor, news } = watched(`redis://${server.address}?config=unchecked`);
    await becomes(acceptor, 'ready');
    expect(news).toEqual([['ready', expect.stringContaining('is not checked: its address says config=unchecked')]]);
    await told(server, 'CONFIG', 'SET', 'appendonly', 'no');
    await becomes(acceptor, 'unfit');
    expect(acceptor.flaws).toMatch(/^appendonly is no/);
  });
});

describe('of a Redis Cluster', () => {
  let servers: RedisClusterServers;
  beforeAll(async () => void (servers = await RedisClusterServers.start()));
  afterAll(() => servers.stop());
  const opened: RedisClusterAcceptor[] = [];
  afterEach(() => {
    for (const acceptor of opened.splice(0)) acceptor.close();
  });

  async function admin(address: string): Promise<RedisClusterAdmin> {
    const one = new RedisClusterAdmin(address, TIMEOUT_MS);
    onTestFinished(() => one.close());
    await one.connect();
    return one;
  }

  it('each node is looked at', async () => {
    const node = servers.node(2);
    await told(node, 'CONFIG', 'SET', 'appendfsync', 'everysec');
    const news: string[] = [];
    const acceptor = new RedisClusterAcceptor({
      ...{ address: servers.address, timeoutMs: TIMEOUT_MS, fitnessEveryMs: LOOK_EVERY_MS },
      onState: (state, remark = '') => void news.push(`${state}: ${remark}`),
    });
    opened.push(acceptor);
    await becomes(acceptor, 'unfit');
    expect(acceptor.flaws).toBe(
      `${node.address}: appendfsync is everysec. CONFIG SET appendfsync always, and the same in its configuration file`,
    );
    expect(news.at(-1)).toBe(`unfit: ${acceptor.flaws}`);
    const { flaws } = await (await admin(servers.address)).fitness('nothing');
    expect(flaws).toMatchObject([{ setting: 'appendfsync', value: `everysec at ${node.address}` }]);
    await told(node, 'CONFIG', 'SET', 'appendfsync', 'always');
    await becomes(acceptor, 'ready');
    expect((await (await admin(servers.address)).fitness('nothing')).flaws).toEqual([]);
  });

  it('each node is asked for its settings, or none', async () => {
    const { flaws, cautions } = await (await admin(`${servers.address}?config=unchecked`)).fitness('nothing');
    expect([flaws, cautions]).toEqual([[], [expect.stringContaining('is not checked')]]);
    const acceptor = new RedisClusterAcceptor({ address: `${servers.address}?config=unchecked`, timeoutMs: TIMEOUT_MS });
    opened.push(acceptor);
    await becomes(acceptor, 'ready');
    for (const node of servers.nodes) expect(await told(node, 'CONFIG', 'RESETSTAT')).toBe('OK');
  });
});

describe('by what a server says of itself', () => {
  const FIT: Readonly<Record<string, string>> = {
    redis_version: '7.0.15',
    ...{ loading: '0', aof_enabled: '1', aof_rewrite_in_progress: '0', aof_rewrite_scheduled: '0', aof_last_bgrewrite_status: 'ok' },
    ...{ aof_base_size: '89', maxmemory: '0', maxmemory_policy: 'noeviction', evicted_keys: '0', role: 'master', connected_slaves: '0' },
    ...{ master_replid2: '0'.repeat(40), io_threads_active: '0' },
  };
  const SET = { appendfsync: 'always', 'no-appendfsync-on-rewrite': 'no', 'io-threads': '1' };
  const infoOf = (fields: object): string =>
    `# Server\r\n${Object.entries({ ...FIT, ...fields })
      .map(([field, value]) => `${field}:${value}\r\n`)
      .join('')}`;
  const settingsOf = (info: object, config: object = {}): string[] =>
    unfitnessOf(infoOf(info), new Map(Object.entries({ ...SET, ...config })), 'nothing').map(({ setting, value }) => `${setting} ${value}`);

  it('it is fit, or loads', () => {
    expect(settingsOf({})).toEqual([]);
    expect(settingsOf({ loading: '1' })).toEqual(['loading 1']);
  });

  it.each([
    ['Redis 7.0', { redis_version: '7.0.15' }, true],
    ['Redis 8.0', { redis_version: '8.0.2' }, true],
    ['Redis 8.2', { redis_version: '8.2.1' }, false],
    ['Redis 8.6', { redis_version: '8.6.3' }, false],
    ['Redis 10', { redis_version: '10.0.0' }, false],
    ['Valkey 8.1', { redis_version: '7.2.4', valkey_version: '8.1.1' }, true],
    ['Valkey 9', { redis_version: '7.2.4', valkey_version: '9.1.2' }, false],
    ['Redict 7.3', { redis_version: '7.2.4', redict_version: '7.3.6' }, true],
  ])('%s with threads', (_name, versions, isFit) => {
    expect(settingsOf(versions, { 'io-threads': '4' })).toEqual(isFit ? [] : ['io-threads 4']);
    expect(settingsOf(versions)).toEqual([]);
    const unchecked = unfitnessOf(infoOf({ ...versions, io_threads_active: '1' }), undefined, 'nothing');
    expect(unchecked.map(({ value }) => value)).toEqual(isFit ? [] : ['more than 1']);
  });

  it.each([
    [{ redis_version: '6.0.16' }, ['version Redis 6.0.16']],
    [{ redis_version: '6.2.14' }, ['version Redis 6.2.14']],
    [{ redis_version: '7.2.4', valkey_version: '9.1.2' }, []],
  ])('%j is old enough, or too old', (versions, expected) => {
    expect(settingsOf(versions)).toEqual(expected);
  });

  it('nothing is taken for granted that it does not say', () => {
    const mute = unfitnessOf('redis_version:7.4.1\r\n', new Map(), 'nothing').map(({ setting }) => setting);
    expect(mute).toEqual([
      ...[
        'loading',
        'appendonly',
        'appendfsync',
        'no-appendfsync-on-rewrite',
        'maxmemory-policy',
        'evicted_keys',
        'role',
        'connected_slaves',
      ],
    ]);
  });

  it('an operator is told of a server that nobody tried, and of settings that nobody checked', () => {
    const cautions = (fields: object, config: ReadonlyMap<string, string> | undefined = new Map()): string[] =>
      cautionsOf(infoOf(fields), config);
    expect(cautions({ redis_version: '7.0.15' })).toEqual([]);
    expect(cautions({ redis_version: '7.2.4', valkey_version: '8.1.1' })).toEqual([]);
    expect(cautions({ redis_version: '7.4.1' })).toEqual(['Redis 7.4.1 is not among the servers that were tried (docs/acceptors.md)']);
    expect(cautions({ redis_version: '8.60.1' })).toHaveLength(1);
    expect(cautionsOf(infoOf({}), undefined)).toEqual([expect.stringContaining('is not checked')]);
  });
});

describe('how full the memory of an acceptor is', () => {
  it('is known by its limit, looked at again and again, and not where it has none', async () => {
    const server = await started();
    const { acceptor } = watched(server.address);
    await becomes(acceptor, 'ready');
    expect(acceptor.memoryUsed).toBeUndefined();
    await told(server, 'CONFIG', 'SET', 'maxmemory', '100mb');
    await vi.waitFor(() => expect(acceptor.memoryUsed).toBeGreaterThan(0), { timeout: HANG_MS });
    expect(acceptor.memoryUsed).toBeLessThan(0.5);
    await told(server, 'CONFIG', 'SET', 'maxmemory', '1');
    await vi.waitFor(() => expect(acceptor.memoryUsed).toBe(1), { timeout: HANG_MS });
    await server.kill9();
    await becomes(acceptor, 'unreachable');
    expect(acceptor.memoryUsed).toBeUndefined();
  });

  it('is told from three quarters on', () => {
    expect([undefined, 0, 0.749].map(memoryText)).toEqual([undefined, undefined, undefined]);
    expect([0.75, 0.876, 1].map(memoryText)).toEqual([75, 88, 100].map((share) => expect.stringContaining(`${share}% full`) as string));
  });
});
