import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Acceptor } from '../../../src/protocol/acceptor.js';
import { type Ballot, ZERO_BALLOT } from '../../../src/protocol/ballot.js';
import { RedisAcceptor } from '../../../src/redis/redis-acceptor.js';
import { answering, bulk, FakeRedis } from '../fake-redis.js';
import { freePort, RedisServer } from '../../redis-server.js';
import { describeAcceptor } from '../acceptor-conformance.js';

const TIMEOUT_MS = 300;
/** Far more than any call may take, and far less than for ever. */
const HANG_MS = 5_000;
/** How long to wait for what is certain to come: on a busy machine it takes long. */
const PATIENCE_MS = 30_000;
/** Redis looks after its clients once in 1,024 commands that it reads from its file: here about twice a second, for some three seconds. */
const [SLOW_KEYS, SLOW_LOAD_MICROSECONDS] = [6_000, 500];
const b = (counter: number): Ballot => ({ era: 1, counter, proposer: 1, incarnation: 1 });

let server: RedisServer;
const acceptors: RedisAcceptor[] = [];

function connected(address = server.address, onReachable?: (reachable: boolean) => void, timeoutMs = TIMEOUT_MS): RedisAcceptor {
  const acceptor = new RedisAcceptor({
    address,
    timeoutMs,
    ...(onReachable && {
      onState: (state) => {
        // One that has just started may say first that it reads its file.
        if (state !== 'loading') onReachable(state === 'ready');
      },
    }),
  });
  acceptors.push(acceptor);
  return acceptor;
}

async function reachable(acceptor: RedisAcceptor, wanted = true): Promise<void> {
  await vi.waitFor(() => expect(acceptor.state).toBe(wanted ? 'ready' : 'unreachable'), { timeout: PATIENCE_MS, interval: 5 });
}

/** Runs a command on a connection of its own. */
const ask = (...[command, ...args]: [string, ...(string | number)[]]): Promise<unknown> =>
  server.ask((redis) => redis.call(command, ...args));

/** How often the server ran a command since its start, scripts by any name. */
async function calls(...commands: string[]): Promise<number> {
  const stats = String(await ask('INFO', 'commandstats'));
  return commands.reduce((sum, name) => sum + Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0), 0);
}

/** Rejects soon, for whatever reason. */
async function failsFast(call: Promise<unknown>): Promise<void> {
  const hang = new Promise((resolve) => setTimeout(resolve, HANG_MS, 'hangs').unref());
  expect(
    await Promise.race([
      call.then(
        () => 'answers',
        () => 'fails',
      ),
      hang,
    ]),
  ).toBe('fails');
}

beforeAll(async () => {
  server = await RedisServer.start();
});
afterEach(() => {
  for (const acceptor of acceptors.splice(0)) acceptor.close();
});
afterAll(() => server.stop());

describe('with one connection', () => {
  let acceptor: RedisAcceptor | undefined;
  const lasting = (): Acceptor => (acceptor ??= new RedisAcceptor({ address: server.address, timeoutMs: HANG_MS }));
  beforeAll(async () => {
    lasting();
    if (acceptor) await reachable(acceptor);
  });
  afterAll(() => acceptor?.close());
  describeAcceptor('the Redis acceptor', lasting);
});

describe('what the Redis acceptor stores', () => {
  it('is one hash for each register, r: and the key, and nothing else', async () => {
    await ask('FLUSHALL', 'SYNC');
    const acceptor = connected();
    await reachable(acceptor);
    await acceptor.read('read only');
    await acceptor.prepare('promise only', b(1));
    await acceptor.prepare('refused', b(2));
    await acceptor.accept('refused', b(1), 'v', b(1));
    await acceptor.accept('ключ\u0000', b(3), 'v', b(4));
    expect((await ask('KEYS', '*')) as string[]).toHaveLength(3);
    expect(await ask('HGETALL', 'r:promise only')).toEqual(['promise', '1.1.1.1']);
    expect(await ask('HGETALL', 'r:refused')).toEqual(['promise', '1.2.1.1']);
    expect(await ask('HGETALL', 'r:ключ\u0000')).toEqual(expect.arrayContaining(['promise', '1.4.1.1', 'ballot', '1.3.1.1', 'value', 'v']));
    expect(await ask('INFO', 'keyspace')).toMatch(/^# Keyspace\r\ndb0:keys=3,expires=0/);
  });

  it('is written with one bare command for each accept, and none for what it refuses', async () => {
    const fresh = await RedisServer.start();
    try {
      const acceptor = connected(fresh.address);
      await reachable(acceptor);
      await acceptor.prepare('k', b(1));
      await acceptor.accept('k', b(1), 'v', b(2));
      await acceptor.accept('k', b(1), 'w', b(2));
      await acceptor.prepare('k', b(1));
      await acceptor.read('k');
      const folder = join(fresh.directory, 'appendonlydir');
      const [log] = (await readdir(folder)).filter((file) => file.endsWith('.incr.aof'));
      const text = await readFile(join(folder, String(log)), 'utf8');
      expect(text.match(/HSET/gi)).toHaveLength(2);
      expect(text).not.toMatch(/MULTI|EXEC|EVAL/i);
    } finally {
      await fresh.stop();
    }
  });

  it('is on disk before it is acknowledged, and nothing is evicted', async () => {
    const settings = async (name: string): Promise<unknown> => ((await ask('CONFIG', 'GET', name)) as string[])[1];
    expect(await settings('appendonly')).toBe('yes');
    expect(await settings('appendfsync')).toBe('always');
    expect(await settings('no-appendfsync-on-rewrite')).toBe('no');
    expect(await settings('save')).toBe('');
    expect(await settings('maxmemory-policy')).toBe('noeviction');
    expect(await settings('aof-load-truncated')).toBe('yes');
  });
});

describe('NOSCRIPT', () => {
  it('is recovered from without the caller noticing, after SCRIPT FLUSH', async () => {
    const acceptor = connected();
    await reachable(acceptor);
    for (const counter of [1, 3, 5]) {
      expect(await acceptor.prepare('flushed', b(counter))).toMatchObject({ ok: true });
      await ask('SCRIPT', 'FLUSH');
      expect(await acceptor.accept('flushed', b(counter), `v${counter}`, b(counter + 1))).toEqual({ ok: true });
      await ask('SCRIPT', 'FLUSH');
    }
    const together = await Promise.all([7, 8, 9].map((counter) => acceptor.prepare(`flushed ${counter}`, b(counter))));
    expect(together.every(({ ok }) => ok)).toBe(true);
  });

  it('is recovered from after a restart', async () => {
    const acceptor = connected();
    await reachable(acceptor);
    await acceptor.accept('restarted', b(1), 'v', b(2));
    await server.kill9();
    await server.start();
    await reachable(acceptor);
    expect(await acceptor.accept('restarted', b(2), 'w', b(3))).toEqual({ ok: true });
  });
});

describe('LOADING', () => {
  it('fails the call, hangs nothing, and is over when Redis has read its file', async () => {
    const slow = await RedisServer.start();
    try {
      const filling = new Redis({ host: '127.0.0.1', port: slow.port });
      const pipeline = filling.pipeline();
      for (let n = 0; n < SLOW_KEYS; n += 1) pipeline.hset(`r:${n}`, 'promise', '1.1.1.1');
      await pipeline.exec();
      filling.disconnect();
      await slow.kill9();
      await slow.start(['--key-load-delay', String(SLOW_LOAD_MICROSECONDS)], 'loading');
      let firstCall: Promise<unknown> | undefined;
      const onReachable = (now: boolean): void => {
        if (now) firstCall ??= acceptor.read('1');
      };
      const acceptor = connected(slow.address, onReachable, HANG_MS / 2);
      for (let turn = 0; turn < 3; turn += 1) {
        await failsFast(acceptor.prepare('1', b(2)));
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      await vi.waitFor(() => expect(acceptor.state).toBe('loading'), { timeout: PATIENCE_MS, interval: 5 });
      await expect(acceptor.prepare('1', b(2))).rejects.toMatchObject({ reason: 'LOADING', message: 'LOADING, it still reads its file' });
      await reachable(acceptor);
      expect(await firstCall).toMatchObject({ ballot: ZERO_BALLOT, value: null });
      expect(acceptor.trouble).toBeUndefined();
      expect(await acceptor.prepare('1', b(2))).toMatchObject({ ok: true });
      expect(await acceptor.prepare(String(SLOW_KEYS - 1), b(1))).toEqual({ ok: false, conflict: b(1) });
    } finally {
      await slow.stop();
    }
  });

  it('from a server that stays in it never counts as reachable', async () => {
    const port = await freePort();
    const fake = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', () => socket.write('-LOADING Redis is loading the dataset in memory\r\n'));
    });
    await new Promise<void>((resolve) => fake.listen(port, '127.0.0.1', resolve));
    const changes: boolean[] = [];
    const acceptor = connected(`127.0.0.1:${port}`, (now) => changes.push(now));
    await failsFast(acceptor.accept('k', b(1), 'v', b(2)));
    await new Promise((resolve) => setTimeout(resolve, 2 * TIMEOUT_MS));
    await failsFast(acceptor.read('k'));
    expect(changes).toEqual([]);
    acceptor.close();
    await new Promise((resolve) => fake.close(resolve));
  });
});

describe('a server that is loading', () => {
  it('is asked again soon, whatever it thinks how long it will take', async () => {
    let questions = 0;
    const loading = bulk('loading:1\r\nloading_eta_seconds:60\r\n');
    const fake = await FakeRedis.start((command, socket) =>
      command === 'info' && (questions += 1) < 3 ? loading : answering(null)(command, socket),
    );
    const acceptor = connected(fake.address);
    await reachable(acceptor);
    // The last one is whether it is fit.
    expect(questions).toBe(4);
    acceptor.close();
    await fake.stop();
  });
});

describe('an acceptor that is gone', () => {
  it('keeps no call for later: one that comes before the connection fails at once', async () => {
    const acceptor = connected();
    for (const call of [acceptor.prepare('early', b(1)), acceptor.accept('early', b(1), 'v', b(2)), acceptor.read('early')])
      await failsFast(call);
    await reachable(acceptor);
    expect(await acceptor.prepare('early', b(1))).toEqual({ ok: true, ballot: ZERO_BALLOT, value: null });
  });

  it('fails every call at once, sends none of them later, and is back soon after its restart', async () => {
    const changes: boolean[] = [];
    const acceptor = connected(server.address, (now) => changes.push(now));
    await reachable(acceptor);
    await acceptor.accept('gone', b(1), 'v', b(2));
    server.pause();
    const inFlight = [2, 3, 4].map((counter) => acceptor.accept('gone', b(counter), 'never sent again', b(counter)));
    const failing = Promise.all(inFlight.map(failsFast));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await server.kill9();
    await failing;
    await reachable(acceptor, false);
    for (const call of [acceptor.prepare('gone', b(5)), acceptor.accept('gone', b(5), 'w', b(6)), acceptor.read('gone')])
      await failsFast(call);
    await server.start();
    await reachable(acceptor);
    await new Promise((resolve) => setTimeout(resolve, TIMEOUT_MS));
    expect(await calls('eval', 'evalsha', 'hset', 'hmget')).toBe(0);
    expect(await acceptor.read('gone')).toMatchObject({ ballot: b(1), value: 'v' });
    expect(changes).toEqual([true, false, true]);
  });

  it('that never was fails every call at once', async () => {
    const changes: boolean[] = [];
    const acceptor = connected(`127.0.0.1:${await freePort()}`, (now) => changes.push(now));
    await failsFast(acceptor.prepare('k', b(1)));
    await new Promise((resolve) => setTimeout(resolve, TIMEOUT_MS));
    await failsFast(acceptor.prepare('k', b(1)));
    expect(acceptor.state).toBe('unreachable');
    expect(changes).toEqual([]);
  });

  it('that stands still fails the call after the time-out, is noticed, and is back when it goes on', async () => {
    const changes: boolean[] = [];
    const acceptor = connected(server.address, (now) => changes.push(now));
    await reachable(acceptor);
    server.pause();
    await failsFast(acceptor.prepare('still', b(1)));
    await reachable(acceptor, false);
    await failsFast(acceptor.prepare('still', b(2)));
    server.resume();
    await reachable(acceptor);
    expect(await acceptor.prepare('still', b(3))).toMatchObject({ ok: true });
    expect(changes).toEqual([true, false, true]);
  });

  it('is not taken for gone because nobody asks it anything', async () => {
    const changes: boolean[] = [];
    const acceptor = connected(server.address, (now) => changes.push(now));
    await reachable(acceptor);
    await acceptor.read('idle');
    await new Promise((resolve) => setTimeout(resolve, 4 * TIMEOUT_MS));
    expect(changes).toEqual([true]);
    expect(await acceptor.read('idle')).toMatchObject({ ballot: ZERO_BALLOT, value: null });
  });

  it('tells nobody more than once, however often it was tried', async () => {
    const changes: boolean[] = [];
    const acceptor = connected(server.address, (now) => changes.push(now));
    await reachable(acceptor);
    await server.kill9();
    await new Promise((resolve) => setTimeout(resolve, 3 * TIMEOUT_MS));
    expect(changes).toEqual([true, false]);
    await server.start();
    await reachable(acceptor);
    acceptor.close();
    await reachable(acceptor, false);
    expect(changes).toEqual([true, false, true, false]);
  });
});

describe('a register whose promise is below what it accepted', () => {
  it('is prepared only above both', async () => {
    const acceptor = connected();
    await reachable(acceptor);
    await ask('HSET', 'r:both', 'promise', '1.2.1.1', 'ballot', '1.9.1.1', 'value', 'v');
    expect(await acceptor.prepare('both', b(5))).toEqual({ ok: false, conflict: b(9) });
    expect(await acceptor.prepare('both', b(10))).toEqual({ ok: true, ballot: b(9), value: 'v' });
  });
});

describe('an acceptor that talks nonsense', () => {
  it('fails the call rather than the proposer', async () => {
    const acceptor = connected();
    await reachable(acceptor);
    await ask('HSET', 'r:torn', 'promise', '1.2.3', 'ballot', 'x', 'value', 'v');
    await failsFast(acceptor.read('torn'));
    await failsFast(acceptor.prepare('torn', b(1)));
    await failsFast(acceptor.accept('torn', b(1), 'v', b(2)));
    await ask('SET', 'r:string', 'v');
    await failsFast(acceptor.prepare('string', b(1)));
  });
});
