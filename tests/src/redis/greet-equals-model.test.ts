import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatBallot, ZERO_BALLOT } from '../../../src/protocol/ballot.js';
import type { Greeting } from '../../../src/store/greeting.js';
import { type GreetingRedis, sendGreeting } from '../../../src/redis/greeter.js';
import { BEATS_KEY, ERAS_KEY, FLOOR_KEY, IDENTITY_KEY, REGISTER_PREFIX } from '../../../src/redis/keys.js';
import { type GreetedMemory, greetMemory } from '../../../src/redis/memory-greeting.js';
import { GREETING_SCRIPTS } from '../../../src/redis/scripts.js';
import { RedisServer } from '../../redis-server.js';

const RUNS = 400;
const LARGEST = Number.MAX_SAFE_INTEGER;
const [RIGHT, WRONG] = ['acceptor-1#right', 'acceptor-1#wrong'];

/** Numbers whose order as text is another one, past 14 digits, where Lua's tostring() rounds, and up to the largest that is exact. */
const number = fc.constantFrom(0, 1, 9, 10, 11, 10 ** 15, 10 ** 15 + 1, LARGEST - 1);
const ballot = fc.oneof(
  { weight: 1, arbitrary: fc.constant(ZERO_BALLOT) },
  { weight: 4, arbitrary: fc.record({ era: number, counter: number, proposer: number, incarnation: fc.constant(1) }) },
);
const held = fc.record({
  identity: fc.constantFrom(RIGHT, RIGHT, RIGHT, undefined),
  beats: fc.option(number, { nil: undefined, freq: 5 }),
  era: fc.option(number, { nil: undefined, freq: 5 }),
  promise: fc.option(ballot, { nil: undefined, freq: 5 }),
  floor: fc.option(fc.record({ era: number.filter((era) => era > 0), version: number }), { nil: undefined, freq: 2 }),
});
const greetings = fc.array(
  fc.record({
    identity: fc.constantFrom(RIGHT, RIGHT, RIGHT, WRONG),
    beats: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: number }),
    confirmed: fc.option(fc.record({ key: fc.constantFrom('a', 'b'), promise: ballot }), { nil: undefined, freq: 3 }),
    marked: fc.constant(`${RIGHT}~1795465039~1`),
    proposer: fc.constantFrom(0, 1, 2),
    era: number,
    isCounting: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

function memoryOf({ identity, beats, era, promise, floor }: typeof held extends fc.Arbitrary<infer Type> ? Type : never): GreetedMemory {
  return {
    registers: new Map(promise && [['a', { promise, ballot: ZERO_BALLOT, value: null }]]),
    ...(identity !== undefined && { identity }),
    ...(beats !== undefined && { beats }),
    ...(era !== undefined && { eras: new Map([[1, era]]) }),
    ...(floor && { floor }),
  };
}

describe('the Lua script of a greeting and the in-memory acceptor', () => {
  let server: RedisServer;
  let redis: GreetingRedis;
  beforeAll(async () => {
    server = await RedisServer.start(['--appendfsync', 'no']);
    redis = new Redis({ host: '127.0.0.1', port: server.port, scripts: GREETING_SCRIPTS }) as GreetingRedis;
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  async function store({ registers, identity, beats, eras, floor }: GreetedMemory): Promise<void> {
    await redis.flushall('SYNC');
    if (identity !== undefined) await redis.set(IDENTITY_KEY, identity);
    if (beats !== undefined) await redis.set(BEATS_KEY, beats);
    if (floor) await redis.set(FLOOR_KEY, `${floor.era}.${floor.version}`);
    if (eras) await redis.hset(ERAS_KEY, Object.fromEntries(eras));
    for (const [key, { promise }] of registers) await redis.hset(REGISTER_PREFIX + key, 'promise', formatBallot(promise));
  }

  it('give the same replies and hold the same state, whatever they are asked', async () => {
    const seen = new Set<string>();
    const equal = fc.asyncProperty(held, greetings, async (found, list) => {
      const memory = memoryOf(found);
      await store(memory);
      for (const greeting of list satisfies Greeting[]) {
        const reply = await sendGreeting(redis, greeting);
        expect(reply, JSON.stringify({ found, list })).toEqual(greetMemory(memory, greeting));
        seen.add(reply.kind);
        const stored = [await redis.get(IDENTITY_KEY), await redis.get(BEATS_KEY), await redis.hgetall(ERAS_KEY)];
        const eras = Object.fromEntries([...(memory.eras ?? [])].map(([proposer, era]) => [proposer, String(era)]));
        const beats = memory.beats === undefined ? null : String(memory.beats);
        expect(stored, JSON.stringify({ found, list })).toEqual([memory.identity ?? null, beats, eras]);
      }
    });
    await fc.assert(equal, { numRuns: RUNS });
    expect([...seen].sort()).toEqual(['back', 'ok', 'old', 'stranger', 'told']);
  });

  it('do not take a register that a collection removed for one that was lost', async () => {
    const confirmed = { key: 'a', promise: { era: 4, counter: 7, proposer: 1, incarnation: 1 } };
    const greeting: Greeting = { identity: RIGHT, beats: 0, confirmed, marked: WRONG, proposer: 1, era: 4, isCounting: false };
    const memory: GreetedMemory = { registers: new Map(), identity: RIGHT, eras: new Map([[1, 4]]), floor: { era: 5, version: 0 } };
    await store(memory);
    expect([await sendGreeting(redis, greeting), greetMemory(memory, greeting)]).toEqual(Array(2).fill({ kind: 'ok', beats: 0 }));
    const later = { ...greeting, confirmed: { ...confirmed, promise: { ...confirmed.promise, era: 5 } } };
    expect([await sendGreeting(redis, later), greetMemory(memory, later)]).toEqual(Array(2).fill({ kind: 'back', identity: WRONG }));
  });

  it('writes at most one thing, and nothing where it is only looked at', async () => {
    const written = async (): Promise<number> => Number(/aof_current_size:(\d+)/.exec(await redis.info('persistence'))?.[1] ?? 0);
    const greeting: Greeting = { identity: RIGHT, beats: 0, confirmed: undefined, marked: WRONG, proposer: 1, era: 4, isCounting: true };
    await store({ registers: new Map(), identity: RIGHT, eras: new Map([[1, 4]]) });
    const before = await written();
    expect(await sendGreeting(redis, { ...greeting, isCounting: false })).toEqual({ kind: 'ok', beats: 0 });
    expect(await written()).toBe(before);
    expect(await sendGreeting(redis, greeting)).toEqual({ kind: 'ok', beats: 1 });
    expect(await written()).toBeGreaterThan(before);
    // News of an era waits for no beat, and the beat waits for the next greeting.
    expect(await sendGreeting(redis, { ...greeting, era: 5 })).toEqual({ kind: 'told', beats: 1 });
  });

  it('answers where nothing can be written, for its registers can still be read', async () => {
    const greeting: Greeting = { identity: RIGHT, beats: 0, confirmed: undefined, marked: WRONG, proposer: 1, era: 4, isCounting: true };
    await store({ registers: new Map(), identity: RIGHT, beats: 7 });
    await redis.config('SET', 'min-replicas-to-write', '1');
    try {
      expect(await sendGreeting(redis, greeting)).toEqual({ kind: 'told', beats: 7 });
      expect(await sendGreeting(redis, { ...greeting, proposer: 0 })).toEqual({ kind: 'ok', beats: 7 });
      expect(await sendGreeting(redis, { ...greeting, beats: 8 })).toEqual({ kind: 'back', identity: WRONG });
    } finally {
      await redis.config('SET', 'min-replicas-to-write', '0');
    }
    expect([await redis.get(BEATS_KEY), await redis.hgetall(ERAS_KEY)]).toEqual(['7', {}]);
  });

  it('counts, and remembers eras and who went back, although the memory is full: what frees some is confirmed then', async () => {
    const greeting: Greeting = { identity: RIGHT, beats: 0, confirmed: undefined, marked: WRONG, proposer: 1, era: 4, isCounting: true };
    await store({ registers: new Map(), identity: RIGHT, beats: 7 });
    await redis.config('SET', 'maxmemory', '1');
    try {
      expect(await sendGreeting(redis, greeting)).toEqual({ kind: 'told', beats: 7 });
      expect(await sendGreeting(redis, greeting)).toEqual({ kind: 'ok', beats: 8 });
      expect([await redis.get(BEATS_KEY), await redis.hgetall(ERAS_KEY)]).toEqual(['8', { 1: '4' }]);
      expect(await sendGreeting(redis, { ...greeting, beats: 9 })).toEqual({ kind: 'back', identity: WRONG });
    } finally {
      await redis.config('SET', 'maxmemory', '0');
    }
    expect(await redis.get(IDENTITY_KEY)).toBe(WRONG);
  });
});
