import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addressesFrom } from '../../src/node/addresses.js';
import { Coroutine, type CoroutineOptions, PAUSE_MS } from '../../client/coroutine.js';
import { noCounts } from '../../client/funnel.js';
import { Ledger, NotANumber } from '../../client/ledger.js';
import { AVOID_MS, Proposers } from '../../client/proposers.js';
import { randomFrom } from '../../client/random.js';
import { type Fault, onWrite, StandIn } from './stand-in.js';
import { systemTime } from '../../src/store/system-time.js';

let standIn: StandIn;
let proposers: Proposers;
let stop: AbortController;
let notes: string[];
beforeEach(async () => {
  standIn = await StandIn.start();
  proposers = new Proposers(['proposer-1:8080', 'proposer-2:8080'], addressesFrom(standIn.addressMap), systemTime);
  stop = new AbortController();
  notes = [];
});
afterEach(async () => {
  stop.abort();
  await proposers.close();
  await standIn.close();
});

const coroutine = (keys: string[], seed = 1, more: Partial<CoroutineOptions> = {}) => {
  const ledger = new Ledger(keys);
  const counts = noCounts();
  const note = (kind: string): number => notes.push(kind);
  const loop = new Coroutine({ proposers, ledger, counts, random: randomFrom(seed), time: systemTime, note, ...more });
  return { ledger, counts, ended: loop.run(stop.signal) };
};

const named = (): Partial<CoroutineOptions> => {
  let count = 0;
  return { nextName: () => `name-${(count += 1)}` };
};

/** Stops after that many requests, or that many milliseconds. */
const until = async (done: () => boolean, limitMs = 10_000): Promise<void> => {
  const deadlineMs = performance.now() + limitMs;
  while (!done()) {
    if (performance.now() > deadlineMs) throw new Error('it did not come to that');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
};
const elapse = (delayMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, delayMs));
const writes = () => standIn.seen.filter(({ method }) => method !== 'GET');
const gets = () => standIn.seen.filter(({ method }) => method === 'GET');

describe('a coroutine', () => {
  it('increments each key by what it says, through every proposer', async () => {
    standIn.store.set('b', { ver: 3, val: 40 });
    const { ledger, counts, ended } = coroutine(['a', 'b', 'c']);
    await until(() => counts.writes >= 60);
    stop.abort();
    await ended;
    for (const { key, start, acknowledged, unknown } of ledger.tallies()) {
      expect(standIn.store.get(key)?.val).toBe((start ?? NaN) + acknowledged);
      expect(unknown).toBe(0);
    }
    expect(ledger.tallies().map(({ start }) => start)).toEqual([0, 40, 0]);
    expect(new Set(standIn.seen.map(({ proposer }) => proposer))).toEqual(new Set([0, 1]));
    expect(counts).toMatchObject({ reads: counts.readAttempts, networkErrors: 0 });
  });

  it('writes through the proposer that it read through', async () => {
    const { counts, ended } = coroutine(['a', 'b', 'c']);
    await until(() => counts.writes >= 30);
    stop.abort();
    await ended;
    standIn.seen.forEach((put, index) => {
      const get = standIn.seen[index - 1];
      if (put.method === 'PUT') expect(get).toMatchObject({ method: 'GET', key: put.key, proposer: put.proposer });
    });
  });

  it('makes the same choices for the same seed', async () => {
    const choices: string[] = [];
    for (const seed of [5, 5, 6]) {
      standIn.seen.length = 0;
      stop = new AbortController();
      const { ended } = coroutine(['a', 'b', 'c', 'd'], seed);
      await until(() => gets().length >= 30);
      stop.abort();
      await ended;
      const first = gets().slice(0, 30);
      choices.push(first.map(({ proposer, key }) => `${proposer}${key}`).join());
    }
    expect(choices[0]).toBe(choices[1]);
    expect(choices[0]).not.toBe(choices[2]);
  });

  it.each([
    ['commit error, applied', 1],
    ['commit error, not applied', 1],
    ['reset, applied', 1],
    ['reset, not applied', 1],
    [{ status: 500, code: 'InternalError' }, 1],
    [{ status: 502, code: 'NobodyKnowsThis' }, 1],
    [{ status: 503, code: 'PrepareError' }, 0],
    [{ status: 503, code: 'ConcurrentRequestError' }, 0],
    [{ status: 503, code: 'NotConfigured' }, 0],
    [{ status: 503, code: 'StaleConfiguration' }, 0],
    [{ status: 409, code: 'VersionMismatch' }, 0],
  ] as const)('counts a write that met %j as %i unknown', async (fault, unknown) => {
    standIn.fault = onWrite(3, fault);
    const { ledger, counts, ended } = coroutine(['a']);
    await until(() => counts.writes >= 5);
    stop.abort();
    await ended;
    const [tally] = ledger.tallies();
    expect(tally).toMatchObject({ acknowledged: counts.writes, unknown });
    const grown = standIn.store.get('a')?.val as number;
    expect(grown - counts.writes).toBe(typeof fault === 'string' && fault.endsWith(' applied') && !fault.includes('not') ? 1 : 0);
    expect(counts.networkErrors).toBe(typeof fault === 'string' && fault.startsWith('reset') ? 1 : 0);
  });

  it.each(['PrepareError', 'ConcurrentRequestError', 'VersionMismatch', 'OutcomeForgotten', 'CommitError'])(
    'meets %s with the next turn at once, and another key',
    async (code) => {
      standIn.fault = () => ({ status: 503, code });
      const { counts, ended } = coroutine(['a', 'b', 'c']);
      const startMs = performance.now();
      await until(() => counts.readAttempts >= 40);
      // Forty pauses would take four seconds.
      expect(performance.now() - startMs).toBeLessThan(3_500);
      stop.abort();
      await ended;
      expect(counts.reads).toBe(0);
      expect(new Set(gets().map(({ key }) => key)).size).toBe(3);
      expect(notes).toEqual([]);
    },
  );

  it('does not spin for ever on refusals that contention cannot explain', async () => {
    standIn.fault = () => ({ status: 503, code: 'PrepareError' });
    const { counts } = coroutine(['a']);
    await elapse(1_500);
    expect(counts.readAttempts).toBeGreaterThan(50);
    expect(counts.readAttempts).toBeLessThanOrEqual((1_500 / PAUSE_MS) * 50);
    const times = gets().map(({ atMs }) => atMs);
    expect((times[50] ?? 0) - (times[49] ?? 0)).toBeGreaterThan(PAUSE_MS * 0.8);
  });

  it.each(['NotConfigured', 'StaleConfiguration'])('pauses after %s, and says so', async (code) => {
    standIn.fault = () => ({ status: 503, code });
    const { counts } = coroutine(['a']);
    await elapse(550);
    expect(counts.readAttempts).toBeGreaterThan(1);
    expect(counts.readAttempts).toBeLessThanOrEqual(7);
    expect(notes).toContain(code);
  });

  it('avoids a proposer that does not answer, and comes back to it', async () => {
    await standIn.kill(1);
    const { counts } = coroutine(['a', 'b']);
    await until(() => counts.networkErrors === 1);
    const errorMs = performance.now();
    await elapse(AVOID_MS * 0.8);
    expect(counts.networkErrors).toBe(1);
    expect(counts.writes).toBeGreaterThan(20);
    await until(() => counts.networkErrors === 2);
    expect(performance.now() - errorMs).toBeGreaterThan(AVOID_MS * 0.9);
    await standIn.revive(1);
    await until(() => standIn.seen.filter(({ proposer }) => proposer === 1).length >= 10);
  });

  it('with affinity sends each key to one proposer, to the other while that does not answer, and back again', async () => {
    await proposers.close();
    const names = ['proposer-1:8080', 'proposer-2:8080'];
    proposers = new Proposers(names, addressesFrom(standIn.addressMap), systemTime, { affinity: true });
    const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
    const servedBy = (key: string): number[] => [
      ...new Set(standIn.seen.filter((seen) => seen.key === key).map(({ proposer }) => proposer)),
    ];
    const { counts } = coroutine(keys);
    await until(() => counts.writes >= 60);
    const homes = new Map(keys.map((key) => [key, servedBy(key)]));
    expect(new Set([...homes.values()].map((home) => home.join()))).toEqual(new Set(['0', '1']));

    await standIn.kill(1);
    await until(() => counts.networkErrors > 0);
    standIn.seen.length = 0;
    await until(() => keys.every((key) => servedBy(key).length > 0));
    expect(keys.map(servedBy)).toEqual(keys.map(() => [0]));

    await standIn.revive(1);
    await until(() => standIn.seen.filter(({ proposer }) => proposer === 1).length >= 10);
    standIn.seen.length = 0;
    await until(() => standIn.seen.length >= 60);
    expect(new Map(keys.map((key) => [key, servedBy(key)]))).toEqual(homes);
  });

  it('does not spin where no proposer answers', async () => {
    await standIn.kill(0);
    await standIn.kill(1);
    // A loop that spins lets no timer fire.
    let ticks = 0;
    const ticking = setInterval(() => (ticks += 1), 10);
    const { counts } = coroutine(['a']);
    await elapse(AVOID_MS * 2.5);
    clearInterval(ticking);
    expect(ticks).toBeGreaterThan(60);
    expect(counts.networkErrors).toBeGreaterThan(2);
    expect(counts.readAttempts).toBeLessThanOrEqual(8);
    expect(notes).toContain('silence');
  });

  it('loses only one coroutine to a proposer that hangs when it is tried again', async () => {
    await standIn.kill(1);
    const first = coroutine(['a', 'b']);
    await until(() => first.counts.networkErrors === 1);
    standIn.fault = ({ proposer }) => (proposer === 1 ? 'hangs' : undefined);
    await standIn.revive(1);
    const others = [coroutine(['c', 'd'], 2), coroutine(['e', 'f'], 3)];
    await until(() => standIn.seen.some(({ proposer }) => proposer === 1));
    await elapse(AVOID_MS * 2);
    expect(standIn.seen.filter(({ proposer }) => proposer === 1)).toHaveLength(1);
    const before = others.map(({ counts }) => counts.writes);
    await elapse(300);
    const moved = [...others].filter(({ counts }, index) => counts.writes > (before[index] ?? Infinity));
    expect(moved.length).toBeGreaterThanOrEqual(1);
  });

  it('finishes the write in flight when it is stopped', async () => {
    standIn.fault = ({ method }) => {
      if (method === 'PUT' && standIn.seen.length >= 6) stop.abort();
      return undefined;
    };
    const { ended, counts } = coroutine(['a']);
    await ended;
    expect(standIn.seen.map(({ method }) => method)).toEqual(['GET', 'PUT', 'GET', 'PUT', 'GET', 'PUT']);
    expect(counts.writes).toBe(3);
    expect(standIn.store.get('a')?.val).toBe(3);
  });

  it('begins no write when it is stopped while it reads', async () => {
    standIn.fault = ({ method }) => {
      if (method === 'GET' && standIn.seen.length >= 3) stop.abort();
      return undefined;
    };
    const { ended, counts } = coroutine(['a']);
    await ended;
    expect(standIn.seen.map(({ method }) => method)).toEqual(['GET', 'PUT', 'GET']);
    expect(counts).toMatchObject({ reads: 2, writes: 1 });
  });

  it('ends where a key holds no number', async () => {
    standIn.store.set('a', { ver: 1, val: 'text' });
    await expect(coroutine(['a']).ended).rejects.toThrow(NotANumber);
    expect(standIn.store.get('a')?.val).toBe('text');
  });
});

describe.each(['cas', 'add'] as const)('a coroutine that names its writes (%s)', (change) => {
  it.each([
    ['commit error, applied', 'acknowledged'],
    ['commit error, not applied', 'acknowledged'],
    ['reset, applied', 'acknowledged'],
    ['reset, not applied', 'acknowledged'],
    [{ status: 500, code: 'InternalError' }, 'acknowledged'],
    [{ status: 502, code: 'NobodyKnowsThis' }, 'acknowledged'],
    [{ status: 503, code: 'PrepareError' }, 'refused'],
    [{ status: 507, code: 'StorageFull' }, 'refused'],
    [{ status: 409, code: 'VersionMismatch' }, 'refused'],
    [{ status: 410, code: 'OutcomeForgotten' }, 'refused'],
  ] as const)('knows what became of a write that met %j: %s', async (fault, outcome) => {
    standIn.fault = onWrite(3, fault);
    const { ledger, counts, ended } = coroutine(['a'], 1, { ...named(), change });
    await until(() => counts.writes >= 5);
    stop.abort();
    await ended;
    expect(ledger.tallies()).toMatchObject([{ acknowledged: counts.writes, unknown: 0 }]);
    expect(standIn.store.get('a')?.val).toBe(counts.writes);
    const [, , third, fourth] = writes();
    if (outcome === 'acknowledged') expect([fourth?.name, fourth?.body]).toEqual([third?.name, third?.body]);
    else expect(fourth?.name).not.toBe(third?.name);
  });

  it('leaves a write unknown that the key does not tell of any more', async () => {
    standIn.fault = ({ method, name }) => {
      if (method === 'GET' || name !== '"name-2"') return undefined;
      const isFirst = writes().filter((write) => write.name === name).length === 1;
      return isFirst ? 'commit error, applied' : { status: 410, code: 'OutcomeForgotten', since: 99 };
    };
    const { ledger, counts, ended } = coroutine(['a'], 1, { ...named(), change });
    await until(() => counts.writes >= 3);
    stop.abort();
    await ended;
    expect(ledger.tallies()).toMatchObject([{ acknowledged: counts.writes, unknown: 1 }]);
    expect(writes().filter(({ name }) => name === '"name-2"')).toHaveLength(2);
  });
});

describe('a coroutine that names its writes', () => {
  it('asks through any proposer, until one tells: a 503 says nothing of the first sending', async () => {
    const answers: (Fault | undefined)[] = [
      'commit error, applied',
      { status: 503, code: 'PrepareError' },
      { status: 503, code: 'NotConfigured' },
      'reset, not applied',
      { status: 500, code: 'InternalError' },
      { status: 503, code: 'PrepareError' },
    ];
    standIn.fault = ({ method }) => (method === 'GET' ? undefined : answers.shift());
    const { ledger, counts, ended } = coroutine(['a'], 1, named());
    await until(() => counts.writes >= 1);
    stop.abort();
    await ended;
    const sent = writes().slice(0, 7);
    expect(new Set(sent.map(({ name }) => name))).toEqual(new Set(['"name-1"']));
    expect(new Set(sent.map(({ proposer }) => proposer)).size).toBe(2);
    expect(standIn.store.get('a')?.val).toBe(counts.writes);
    expect(ledger.tallies()).toMatchObject([{ acknowledged: counts.writes, unknown: 0 }]);
    expect(notes).toEqual(expect.arrayContaining(['InternalError', 'NotConfigured', 'silence']));
  });

  it('counts a write as not applied that others overtook before it was repeated', async () => {
    standIn.fault = ({ method, name }) => {
      if (method === 'GET' || name !== '"name-2"') return undefined;
      standIn.fault = () => undefined;
      setTimeout(() => standIn.store.set('a', { ver: 9, val: 40 }), 0);
      return 'hangs';
    };
    await proposers.close();
    const names = ['proposer-1:8080', 'proposer-2:8080'];
    proposers = new Proposers(names, addressesFrom(standIn.addressMap), systemTime, { timeoutMs: 200 });
    const { ledger, counts, ended } = coroutine(['a'], 1, named());
    await until(() => counts.writes >= 3);
    stop.abort();
    await ended;
    expect(ledger.tallies()).toMatchObject([{ start: 0, acknowledged: counts.writes, unknown: 0 }]);
    expect(standIn.store.get('a')?.val).toBe(40 + counts.writes - 1);
  });

  it('gives up what nobody tells when it is told to', async () => {
    standIn.fault = ({ method }) => (method === 'GET' ? undefined : 'commit error, not applied');
    const ledger = new Ledger(['a']);
    const counts = noCounts();
    const options = { proposers, ledger, counts, random: randomFrom(1), time: systemTime, note: () => undefined, ...named() };
    const giveUp = new AbortController();
    const ended = new Coroutine(options).run(stop.signal, giveUp.signal);
    await until(() => writes().length >= 3);
    stop.abort();
    const before = writes().length;
    await until(() => writes().length >= before + 3);
    giveUp.abort();
    await ended;
    expect(ledger.tallies()).toMatchObject([{ acknowledged: 0, unknown: 1 }]);
    expect(new Set(writes().map(({ name }) => name))).toEqual(new Set(['"name-1"']));
  });
});

describe('a coroutine that adds', () => {
  it('reads a key once, then sends the version that it was told last', async () => {
    standIn.store.set('a', { ver: 40, val: 7 });
    const { ledger, counts, ended } = coroutine(['a'], 1, { ...named(), change: 'add' });
    await until(() => counts.writes >= 3);
    stop.abort();
    await ended;
    expect(gets()).toHaveLength(1);
    expect(
      writes()
        .slice(0, 3)
        .map(({ method, body }) => [method, body]),
    ).toEqual([40, 41, 42].map((since) => ['POST', { add: 1, since }]));
    expect(ledger.tallies()).toMatchObject([{ start: 7, acknowledged: counts.writes, unknown: 0 }]);
    expect(counts).toMatchObject({ readAttempts: counts.writes, reads: counts.writes });
  });

  it('begins anew from the version that the key has, where more went by than it tells of', async () => {
    standIn.fault = onWrite(2, { status: 410, code: 'OutcomeForgotten', since: 1_000 });
    const { counts, ended } = coroutine(['a'], 1, { ...named(), change: 'add' });
    await until(() => counts.writes >= 3);
    stop.abort();
    await ended;
    expect(
      writes()
        .slice(0, 3)
        .map(({ name, body }) => [name, body?.['since']]),
    ).toEqual([
      ['"name-1"', 0],
      ['"name-2"', 1],
      ['"name-2"', 1_000],
    ]);
    expect(counts.readAttempts).toBe(counts.writes);
  });

  it('ends where a key holds no number', async () => {
    const { counts, ended } = coroutine(['a'], 1, { ...named(), change: 'add' });
    await until(() => counts.writes >= 3);
    standIn.store.set('a', { ver: 100_000, val: 'text' });
    await expect(ended).rejects.toThrow(NotANumber);
    expect(standIn.store.get('a')?.val).toBe('text');
  });

  it('without names sends each increment once', async () => {
    standIn.fault = onWrite(3, 'commit error, applied');
    const { ledger, counts, ended } = coroutine(['a'], 1, { change: 'add' });
    await until(() => counts.writes >= 3);
    stop.abort();
    await ended;
    expect(ledger.tallies()).toMatchObject([{ acknowledged: counts.writes, unknown: 1 }]);
    expect(writes().every(({ name, body }) => name === undefined && !Object.hasOwn(body ?? {}, 'since'))).toBe(true);
  });
});
