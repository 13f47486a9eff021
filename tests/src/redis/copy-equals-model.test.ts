import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { formatBallot } from '../../../src/protocol/ballot.js';
import type { Memory } from '../../../src/protocol/memory-acceptor.js';
import { FLOOR_KEY, REGISTER_PREFIX } from '../../../src/redis/keys.js';
import { copyInto } from '../../../src/redis/memory-copying.js';
import { RedisAdmin } from '../../../src/redis/redis-admin.js';
import { RedisServer } from '../../redis-server.js';

const LARGEST = Number.MAX_SAFE_INTEGER;
let server: RedisServer;
let redis: Redis;
let admin: RedisAdmin;

beforeAll(async () => {
  server = await RedisServer.start(['--appendfsync', 'no']);
  redis = new Redis(server.port, '127.0.0.1');
  admin = new RedisAdmin(server.address, 5_000);
  await admin.connect();
});
afterAll(async () => {
  admin.close();
  redis.disconnect();
  await server.stop();
});

/** Few, so that they meet: numbers whose order as text is another one, and the largest that is exact. */
const part = fc.constantFrom(1, 9, 10, 10 ** 15 + 1, LARGEST - 1, LARGEST);
const ballot = fc.record({ era: part, counter: part, proposer: fc.constantFrom(1, 2), incarnation: fc.constantFrom(1, 10) });
const state = fc.record({ promise: ballot, ballot, value: fc.constantFrom('v', null) });
const option = <Type>(what: fc.Arbitrary<Type>): fc.Arbitrary<Type | undefined> => fc.option(what, { nil: undefined, freq: 3 });

it('a Redis takes a copy where the model does, and holds the same then', async () => {
  const drawn = [
    option(state),
    option(fc.record({ era: part, version: part })),
    fc.array(fc.tuple(part, ballot), { minLength: 1, maxLength: 6 }),
  ] as const;
  await fc.assert(
    fc.asyncProperty(...drawn, async (found, floor, copies) => {
      const memory: Memory = { registers: new Map(found && [['k', found]]), ...(floor && { floor }) };
      await redis.flushall();
      const stored = found && { promise: formatBallot(found.promise), ballot: formatBallot(found.ballot), value: found.value ?? '' };
      if (stored) await redis.hset(`${REGISTER_PREFIX}k`, stored);
      if (floor) await redis.set(FLOOR_KEY, `${floor.era}.${floor.version}`);
      for (const [index, [era, at]] of copies.entries()) {
        const register = { key: 'k', ballot: formatBallot(at), value: `copy ${index}` };
        expect(await admin.copy(era, [register])).toEqual([copyInto(memory, era, register)]);
        const held = memory.registers.get('k');
        const expected = held ? { promise: formatBallot(held.promise), ballot: formatBallot(held.ballot), value: held.value ?? '' } : {};
        expect(await redis.hgetall(`${REGISTER_PREFIX}k`)).toEqual(expected);
      }
    }),
    { numRuns: 500 },
  );
});
