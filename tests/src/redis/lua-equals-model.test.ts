import { StrangerError } from '../../../src/protocol/errors.js';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Acceptor, type Floor, type Value } from '../../../src/protocol/acceptor.js';
import { type Ballot, compareBallots, formatBallot, ZERO_BALLOT } from '../../../src/protocol/ballot.js';
import { type Memory, MemoryAcceptor } from '../../../src/protocol/memory-acceptor.js';
import { FLOOR_KEY, IDENTITY_KEY, REGISTER_PREFIX } from '../../../src/redis/keys.js';
import { RedisAcceptor } from '../../../src/redis/redis-acceptor.js';
import { deliver } from '../../../verification/simulation/acceptor-message.js';
import { RedisServer } from '../../redis-server.js';

const RUNS = 400;
const STEPS_MAX = 50;
const TIMEOUT_MS = 5_000;
/** A greeting in between would see that another identity was set. */
const NEVER_MS = 2 ** 31 - 1;
const LARGEST = Number.MAX_SAFE_INTEGER;
const PARTS = ['era', 'counter', 'proposer', 'incarnation'] as const;
/** Who the acceptor is, where it knows, and whom a message may mean instead. */
const [RIGHT, WRONG] = ['acceptor-1#right', 'acceptor-1#wrong'];
const EMPTY = { promise: ZERO_BALLOT, ballot: ZERO_BALLOT, value: null };
type Drawn<Source> = Source extends fc.Arbitrary<infer Type> ? Type : never;

/** Numbers whose order as text is another one; past 14 digits, where Lua's tostring() rounds; and up to the largest that is exact. */
const part = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(1, 9, 10, 11, 99, 100) },
  { weight: 2, arbitrary: fc.constantFrom(10 ** 15, 10 ** 15 + 1, LARGEST - 2, LARGEST - 1, LARGEST) },
  { weight: 1, arbitrary: fc.maxSafeNat() },
);
const era = fc.oneof({ weight: 7, arbitrary: fc.constantFrom(1, 9, 10) }, { weight: 1, arbitrary: part });
const farBallot = fc.record({ era, counter: part, proposer: part, incarnation: part });
/** One number beside what the register holds by then: from far ballots alone a register is soon at the largest, and refuses all. */
const nearBallot = fc.record({
  near: fc.constantFrom('promise', 'ballot'),
  part: fc.constantFrom(...PARTS),
  by: fc.constantFrom(0, 1, -1),
});
const ballot = fc.oneof(
  { weight: 7, arbitrary: nearBallot },
  { weight: 2, arbitrary: farBallot },
  { weight: 1, arbitrary: fc.constant(ZERO_BALLOT) },
);

/** Never "", which no value is: Redis holds that for null. */
const value = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('v', 'w', null) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'v\0',
      '\0',
      ' ',
      '007',
      '9007199254740993',
      '1.9.1.1',
      '{"ver":1,"val":null,"ops":["a"]}',
      'é',
      'e\u0301',
      '👩‍🚀',
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1 }) },
  { weight: 1, arbitrary: fc.constantFrom('v'.repeat(65_536), '€'.repeat(21_845)) },
);
/** Stands for what the register holds by then. */
const presentValue = fc.constant(undefined);

const step = fc.record({
  kind: fc.constantFrom('prepare', 'accept', 'read'),
  key: fc.constantFrom('a', 'b', 'a\0'),
  ballot,
  value: fc.oneof(presentValue, value),
  next: ballot,
  meant: fc.constantFrom(undefined, undefined, RIGHT, RIGHT, WRONG),
});
const steps = fc.array(step, { minLength: 1, maxLength: STEPS_MAX, size: 'max' });
/** What a register held before the first step, also where no steps lead there: a promise below the accepted ballot. */
const found = fc.option(fc.record({ promise: farBallot, ballot: farBallot, value }), { nil: undefined, freq: 2 });

/** Who the acceptor is. Undefined: it has forgotten. */
const identity = fc.option(fc.constant(RIGHT), { nil: undefined, freq: 3 });

/** What a collection left, if there was one. */
const floors = fc.option(fc.record({ era: fc.oneof(fc.constantFrom(1, 9, 10, 11), part), version: part }), { nil: undefined, freq: 2 });

interface Message {
  readonly kind: 'prepare' | 'accept' | 'read';
  readonly key: string;
  readonly ballot: Ballot;
  readonly value: Value;
  readonly next: Ballot;
  /** The identity of the acceptor that it is for. Undefined: it is not checked. */
  readonly meant: string | undefined;
}

/** The step with the ballots and the value that were drawn for it. */
function messageOf({ kind, key, meant, ...drawn }: Drawn<typeof step>, { registers }: MemoryAcceptor): Message {
  const register = registers.get(key) ?? EMPTY;
  const ballotOf = (one: Drawn<typeof ballot>): Ballot => {
    if (!('near' in one)) return one;
    const base = register[one.near];
    return { ...base, [one.part]: Math.min(LARGEST, Math.max(0, base[one.part] + one.by)) };
  };
  const value = drawn.value === undefined ? register.value : drawn.value;
  return { kind, key, ballot: ballotOf(drawn.ballot), value, next: ballotOf(drawn.next), meant };
}

/** The reply, or in words why there was none from a stranger. */
async function send(message: Message, acceptor: Acceptor): Promise<unknown> {
  try {
    return await deliver(message, acceptor);
  } catch (error) {
    if (error instanceof StrangerError) return error.message;
    throw error;
  }
}

function memoryOf(identity: string | undefined, floor: Floor | undefined): Memory {
  return { registers: new Map(), ...(identity !== undefined && { identity }), ...(floor && { floor }) };
}

const short = (value: Value): string => JSON.stringify(value).slice(0, 60);

function inWords({ kind, key, ballot, value, next, meant }: Message): string {
  const text = `${kind} ${JSON.stringify(key)} for ${meant ?? 'anybody'}`;
  if (kind === 'read') return text;
  const at = `${text} at "${formatBallot(ballot)}"`;
  return kind === 'prepare' ? at : `${at} ${short(value)}, then promise "${formatBallot(next)}"`;
}

/** The fields that the hash of a register should have. Undefined: there is none. */
function storedBy({ registers }: MemoryAcceptor, key: string): Record<string, string> | undefined {
  const register = registers.get(key);
  return register && { promise: formatBallot(register.promise), ballot: formatBallot(register.ballot), value: register.value ?? '' };
}

describe('the Lua scripts and the in-memory acceptor', () => {
  let server: RedisServer;
  let redis: Redis;
  /** By the identity that is meant. */
  const scripts = new Map<string | undefined, RedisAcceptor>();

  beforeAll(async () => {
    server = await RedisServer.start(['--appendfsync', 'no']);
    redis = new Redis({ host: '127.0.0.1', port: server.port });
  });
  afterAll(async () => {
    for (const acceptor of scripts.values()) acceptor.close();
    redis.disconnect();
    await server.stop();
  });

  /** The scripts as somebody runs them who connected while the acceptor was the one that is meant: it is looked at then, too. */
  async function scriptsFor(meant: string | undefined, present: string | undefined): Promise<RedisAcceptor> {
    const known = scripts.get(meant);
    if (known?.state === 'ready') return known;
    known?.close();
    if (meant !== undefined) await redis.set(IDENTITY_KEY, meant);
    // It does not sync, for speed: nothing here outlives the process.
    const address = `redis://${server.address}?config=unchecked`;
    const acceptor = new RedisAcceptor({ address, identity: meant, timeoutMs: TIMEOUT_MS, greetEveryMs: NEVER_MS });
    scripts.set(meant, acceptor);
    await vi.waitFor(() => expect(acceptor.state).toBe('ready'), { interval: 1, timeout: 3 * TIMEOUT_MS });
    await setIdentity(present);
    return acceptor;
  }

  const setIdentity = (present: string | undefined): Promise<unknown> =>
    present === undefined ? redis.del(IDENTITY_KEY) : redis.set(IDENTITY_KEY, present);

  /** The hash as Redis holds it. A field that is missing and one that is empty both say: nothing. */
  async function storedByRedis(key: string): Promise<Record<string, string> | undefined> {
    const fields = await redis.hgetall(REGISTER_PREFIX + key);
    return Object.keys(fields).length === 0 ? undefined : { promise: '', ballot: '', value: '', ...fields };
  }

  it('give the same replies and hold the same state, whatever they are asked', async () => {
    const equal = fc.asyncProperty(found, identity, floors, steps, async (register, present, floor, list) => {
      await redis.flushall('SYNC');
      await setIdentity(present);
      if (floor) await redis.set(FLOOR_KEY, `${floor.era}.${floor.version}`);
      const memory = memoryOf(present, floor);
      const model = new MemoryAcceptor(memory);
      if (register) model.registers.set('a', register);
      if (register) await redis.hset(`${REGISTER_PREFIX}a`, storedBy(model, 'a') ?? {});
      const beside = Number(present !== undefined) + Number(floor !== undefined);
      const story = [`under ${JSON.stringify(floor)}`];
      if (register) story.push(`found ${JSON.stringify(storedBy(model, 'a')).slice(0, 200)}`);
      for (const drawn of list) {
        const message = messageOf(drawn, model);
        story.push(inWords(message));
        const told = `after\n${story.join('\n')}\n`;
        const reply = await send(message, await scriptsFor(message.meant, present));
        expect(reply, `the reply ${told}`).toEqual(await send(message, new MemoryAcceptor(memory, message.meant)));
        expect(await storedByRedis(message.key), `the state ${told}`).toEqual(storedBy(model, message.key));
      }
      expect(await redis.dbsize()).toBe(model.registers.size + beside);
    });
    await fc.assert(equal, { numRuns: RUNS });
  });

  it('are asked all that rule 6 tells apart', async () => {
    const seen = new Set<string>();
    const place = (one: Ballot, other: Ballot): string => ['below', 'at', 'above'][Math.sign(compareBallots(one, other)) + 1] ?? '';
    const told = fc.asyncProperty(identity, floors, steps, async (present, floor, list) => {
      const memory = memoryOf(present, floor);
      const model = new MemoryAcceptor(memory);
      for (const drawn of list) {
        const message = messageOf(drawn, model);
        const isAbsent = !model.registers.has(message.key);
        const { promise, ballot, value } = model.registers.get(message.key) ?? EMPTY;
        const where = `${place(message.ballot, promise)} the promise, ${place(message.ballot, ballot)} the accepted ballot`;
        const reply = await send(message, new MemoryAcceptor(memory, message.meant));
        const whom = `${message.meant ?? 'anybody'} where ${present ?? 'nobody'} is`;
        seen.add(`${message.kind} of ${isAbsent ? 'an absent' : 'a present'} register, for ${whom}: ${typeof reply}`);
        const { ok, floor: told } = reply as { ok?: boolean; floor?: number };
        const height = floor && Math.sign(message.ballot.era - floor.era) + 1;
        const over = height === undefined ? 'no floor' : `a floor of ${['a later era', 'its era', 'an earlier era'][height] ?? ''}`;
        if (isAbsent && typeof reply === 'object') seen.add(`${message.kind} of an absent register over ${over}: ${String(ok)}`);
        if (message.kind === 'prepare' && ok)
          seen.add(`a promise ${value === null ? 'without a value' : 'with a value'} told ${told ? 'a floor' : 'none'}`);
        seen.add(`${message.kind} ${where}, ${message.value === value ? 'same' : 'other'} value: ${String(ok)}`);
      }
    });
    await fc.assert(told, { numRuns: RUNS });
    expect([...seen]).not.toContain('a promise with a value told a floor');
    expect([...seen]).toEqual(
      expect.arrayContaining([
        ...['prepare', 'accept'].flatMap((kind) => [
          `${kind} of an absent register over no floor: true`,
          `${kind} of an absent register over a floor of an earlier era: true`,
          `${kind} of an absent register over a floor of its era: true`,
          `${kind} of an absent register over a floor of a later era: false`,
        ]),
        'a promise without a value told a floor',
        'a promise without a value told none',
        'a promise with a value told none',
        'prepare above the promise, above the accepted ballot, other value: true',
        'prepare at the promise, above the accepted ballot, other value: false',
        'prepare at the promise, at the accepted ballot, other value: false',
        'prepare below the promise, above the accepted ballot, other value: false',
        'prepare below the promise, at the accepted ballot, other value: false',
        'prepare below the promise, below the accepted ballot, other value: false',
        'accept above the promise, above the accepted ballot, other value: true',
        'accept at the promise, above the accepted ballot, other value: true',
        'accept at the promise, at the accepted ballot, same value: true',
        'accept at the promise, at the accepted ballot, other value: false',
        'accept below the promise, above the accepted ballot, other value: false',
        'accept below the promise, at the accepted ballot, same value: true',
        'accept below the promise, at the accepted ballot, other value: false',
        'accept below the promise, below the accepted ballot, other value: false',
        ...['prepare', 'accept', 'read'].flatMap((kind) =>
          [RIGHT, 'nobody'].flatMap((present) =>
            ['anybody', RIGHT, WRONG].flatMap((meant) => [
              `${kind} of an absent register, for ${meant} where ${present} is: ${meant === 'anybody' || meant === present ? 'object' : 'string'}`,
              `${kind} of a present register, for ${meant} where ${present} is: object`,
            ]),
          ),
        ),
      ]),
    );
  });
});
