import { appendFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Ballot } from '../../../src/protocol/ballot.js';
import { RedisAcceptor } from '../../../src/redis/redis-acceptor.js';
import { randomFrom } from '../../../client/random.js';
import { RedisServer } from '../../redis-server.js';

const KILLS = 20;
const WRITERS = 6;
const TIMEOUT_MS = 1_000;
/** How long the writers run before each kill, at most, in milliseconds. */
const RUN_MS = 120;
const PADDING = 'v'.repeat(64 * 1024);
const b = (counter: number): Ballot => ({ era: 1, counter, proposer: 1, incarnation: 1 });

let server: RedisServer;
let acceptor: RedisAcceptor;

async function connect(): Promise<void> {
  acceptor = new RedisAcceptor({ address: server.address, timeoutMs: TIMEOUT_MS });
  await vi.waitFor(() => expect(acceptor.state).toBe('ready'), { timeout: 10_000, interval: 5 });
}

async function crashAndRestart(tear?: () => Promise<void>): Promise<void> {
  await server.kill9();
  acceptor.close();
  await tear?.();
  await server.start();
  await connect();
}

beforeAll(async () => {
  server = await RedisServer.start();
  await connect();
});
afterAll(async () => {
  acceptor.close();
  await server.stop();
});

describe('a register', () => {
  it.each([100, 1_000])('with a value of %d bytes lies in one piece, which takes half the memory', async (bytes) => {
    await acceptor.accept(`value of ${bytes}`, b(1), 'v'.repeat(bytes), b(2));
    const redis = new Redis({ port: server.port });
    onTestFinished(() => redis.disconnect());
    expect(await redis.object('ENCODING', `r:value of ${bytes}`)).toMatch(/^(listpack|ziplist)$/);
  });
});

describe('an acceptor killed with SIGKILL', () => {
  it(`under 64 KiB writes starts again, ${KILLS} times, with every acknowledged accept and promise`, { timeout: 120_000 }, async () => {
    const random = randomFrom(20260103);
    const acknowledged = new Map<string, number>();
    let counter = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const write = async (key: string): Promise<never> => {
        for (;;) {
          const mine = (counter += 1);
          const reply = await acceptor.accept(key, b(mine), `${mine} ${PADDING}`, b(mine));
          expect(reply).toEqual({ ok: true });
          acknowledged.set(key, mine);
        }
      };
      const writers = Array.from({ length: WRITERS }, (_, n) => write(`key ${n}`));
      const ended = Promise.allSettled(writers);
      await new Promise((resolve) => setTimeout(resolve, random() * RUN_MS));
      await crashAndRestart();
      for (const writer of await ended) expect(String(writer.status === 'rejected' && writer.reason)).not.toMatch(/AssertionError/);
      for (const [key, least] of acknowledged) {
        const { ballot, value } = await acceptor.read(key);
        expect(ballot.counter).toBeGreaterThanOrEqual(least);
        expect(value).toBe(`${ballot.counter} ${PADDING}`);
        expect(await acceptor.prepare(key, b(least))).toMatchObject({ ok: false });
      }
    }
    expect(acknowledged.size).toBe(WRITERS);
    expect(Math.min(...acknowledged.values())).toBeGreaterThan(KILLS);
  });

  it('starts with a torn tail in its file, which was never acknowledged, and keeps what was', async () => {
    await acceptor.accept('torn', b(1_000_000), `acknowledged ${PADDING}`, b(1_000_001));
    const folder = join(server.directory, 'appendonlydir');
    const cutShort = `*8\r\n$4\r\nHSET\r\n$6\r\nr:torn\r\n$7\r\npromise\r\n$13\r\n1.9999999.1.1\r\n$6\r\nballot\r\n$65536\r\n${PADDING.slice(0, 30_000)}`;
    await crashAndRestart(async () => {
      const [last] = (await readdir(folder))
        .filter((file) => file.endsWith('.incr.aof'))
        .sort((x, y) => y.localeCompare(x, 'en', { numeric: true }));
      await appendFile(join(folder, String(last)), cutShort);
    });
    expect(await acceptor.read('torn')).toMatchObject({ ballot: b(1_000_000), value: `acknowledged ${PADDING}` });
    expect(await acceptor.prepare('torn', b(1_000_001))).toEqual({ ok: false, conflict: b(1_000_001) });
    expect(await acceptor.accept('torn', b(1_000_001), 'next', b(1_000_002))).toEqual({ ok: true });
    await crashAndRestart();
    expect(await acceptor.read('torn')).toMatchObject({ ballot: b(1_000_001), value: 'next' });
  });
});
