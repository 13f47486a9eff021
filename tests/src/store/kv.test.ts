import { VersionMismatch } from '../../../src/store/errors.js';
import { describe, expect, it } from 'vitest';
import type { Ballot } from '../../../src/protocol/ballot.js';
import { ConcurrentRequestError, CommitError, NotConfigured, PrepareError, StaleConfiguration } from '../../../src/protocol/errors.js';
import { Attempts, type Registers } from '../../registers.js';
import { type Fate, only, ScriptedCluster, TIMEOUT_MS } from '../../scripted-cluster.js';
import type { Message } from '../../../verification/simulation/acceptor-message.js';

const KEY = 'k';
const RESOLVE_MS = 500;
const BACKOFF_MS = 10;
/** How many operation ids a value keeps, and the version that the write in question would be. */
const [IDS_KEPT, OPEN_VERSION] = [32, 2];
const ballot = (era: number, counter: number): Ballot => ({ era, counter, proposer: 9, incarnation: 1 });

/** A cluster of three with a store on each of two proposers: `mine`, whose accepts a test troubles, and `theirs`. */
class Stores extends ScriptedCluster {
  readonly proposer1 = this.proposer(1);
  /** How each search of `mine` for an outcome ended. */
  readonly searched: boolean[] = [];
  readonly mine = this.store(this.proposer1, 'mine', RESOLVE_MS, (isFound) => this.searched.push(isFound));
  readonly theirs = this.store(this.proposer(2), 'theirs');

  constructor() {
    super(3);
  }

  store(proposer: Registers, name: string, resolveMs = RESOLVE_MS, onResolved?: (isFound: boolean) => void): Attempts {
    let operations = 0;
    const nextOperationId = (): string => `${name} ${(operations += 1)}`;
    const options = {
      proposer,
      reader: proposer.reader,
      nextOperationId,
      time: this.time,
      random: () => 0.5,
      resolveMs,
      resolvePauseMs: BACKOFF_MS,
    };
    return new Attempts({ ...options, ...(onResolved && { onResolved }) });
  }

  /** Writes by the other proposer until the key is at version `ver`, whatever it is at now. */
  async moveOnTo(ver: number): Promise<void> {
    for (let turn = 0; turn < 100; turn += 1) {
      const present = await this.time.run(this.theirs.get(KEY).catch(() => undefined));
      if (present && present.ver >= ver) return;
      if (present) await this.time.run(this.theirs.cas(KEY, present.ver, `theirs ${present.ver + 1}`).catch(() => undefined));
    }
    throw new Error(`the key never came to version ${ver}`);
  }

  /** The next accept of my proposer meets this fate on the acceptors named; what comes after it is answered. */
  failNextAccept(fates: Readonly<Record<string, 'refuse' | 'break' | 'lose' | 'silence'>>): void {
    for (const [name, fate] of Object.entries(fates)) {
      let armed = true;
      this.acceptor(name).fate = (message: Message) => {
        if (message.kind !== 'accept' || message.ballot.proposer !== 1 || !armed) return 'answer';
        armed = false;
        return fate;
      };
    }
  }
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`it answered ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
}

describe('get', () => {
  it('answers version 0 for a key that does not exist, also where acceptors hold a promise or an accepted nothing', async () => {
    const stores = new Stores();
    expect(await stores.time.run(stores.mine.get(KEY))).toEqual({ ver: 0, val: null });
    for (const { memory } of stores.acceptors.values()) await memory.prepare(KEY, ballot(1, 5));
    expect(await stores.time.run(stores.mine.get(KEY))).toEqual({ ver: 0, val: null });
    await stores.time.run(stores.mine.rescan(KEY).catch(() => undefined));
    await stores.time.run(stores.mine.rescan(KEY));
    expect(new Set(stores.messages('accept').map(({ value }) => value))).toEqual(new Set([null]));
    expect(await stores.time.run(stores.theirs.get(KEY))).toEqual({ ver: 0, val: null });
  });

  it.each([[null], [0], [''], [false], [[]], [{ __proto__: null, op: 1, ver: 7 }], ['€'.repeat(100)], [1.5e300]])(
    'returns %j as it was written',
    async (val) => {
      const stores = new Stores();
      await stores.time.run(stores.mine.cas(KEY, 0, val));
      expect(await stores.time.run(stores.theirs.get(KEY))).toEqual({ ver: 1, val });
    },
  );

  it('reads without a round where it can, and peek never does more than that', async () => {
    const stores = new Stores();
    await stores.time.run(stores.mine.cas(KEY, 0, 'v'));
    stores.forget();
    expect(await stores.time.run(stores.theirs.get(KEY))).toEqual({ ver: 1, val: 'v' });
    await stores
      .acceptor('a1')
      .memory.accept(KEY, ballot(1, 90), JSON.stringify({ ver: 2, val: 'half', op: 'x', ops: ['x', 'y'] }), ballot(1, 91));
    stores.fates({ a2: 'refuse' });
    expect(await stores.time.run(stores.theirs.readByQuorum(KEY))).toBeUndefined();
    expect(stores.messages('prepare').length + stores.messages('accept').length).toBe(0);
  });

  it('settles by a full round what the acceptors do not agree on, and stays with that', async () => {
    const stores = new Stores();
    await stores.time.run(stores.mine.cas(KEY, 0, 'v'));
    stores.failNextAccept({ a2: 'lose', a3: 'lose' });
    stores.proposer1.change(KEY, () => JSON.stringify({ ver: 2, val: 'half', op: 'x', ops: ['x', 'mine 1'] })).catch(() => undefined);
    await stores.time.advance(TIMEOUT_MS);
    stores.fates({ a3: 'refuse' });
    const reader = stores.theirs;
    await stores.time.run(reader.get(KEY).catch(() => undefined));
    expect(await stores.time.run(reader.get(KEY))).toEqual({ ver: 2, val: 'half' });
    stores.fates({ a1: 'refuse' });
    expect(await stores.time.run(reader.get(KEY))).toEqual({ ver: 2, val: 'half' });
  });

  it('never ends as a CommitError, whatever fails', async () => {
    for (const fate of ['refuse', 'break', 'lose', 'silence'] as const) {
      for (const kind of ['prepare', 'accept'] as const) {
        const stores = new Stores();
        await stores
          .acceptor('a1')
          .memory.accept(KEY, ballot(1, 3), JSON.stringify({ ver: 1, val: 'half', op: 'x', ops: ['x'] }), ballot(1, 4));
        stores.fates({ a2: only('read', 'refuse'), a3: only(kind, fate), a1: only(kind, fate) });
        for (const operation of [() => stores.mine.get(KEY), () => stores.mine.rescan(KEY)]) {
          const error = await stores.time.run(rejection(operation()));
          expect(error).toBeInstanceOf(PrepareError);
        }
      }
    }
  });

  it('passes on what else stood in its way', async () => {
    const stores = new Stores();
    const unconfigured = stores.store(
      stores.proposer(3, { era: 0, prepare: { nodes: [], quorum: 0 }, accept: { nodes: [], quorum: 0 } }),
      'none',
    );
    await expect(unconfigured.get(KEY)).rejects.toThrow(NotConfigured);
    stores.fates({ a1: 'lose', a2: 'lose', a3: 'lose' });
    const first = stores.mine.rescan(KEY);
    await expect(stores.mine.rescan(KEY)).rejects.toThrow(ConcurrentRequestError);
    await stores.time.run(rejection(first));
    stores.fates({});
    for (const { memory } of stores.acceptors.values()) await memory.prepare(KEY, ballot(5, 1));
    await expect(stores.time.run(stores.mine.rescan(KEY))).rejects.toThrow(StaleConfiguration);
  });
});

describe('rescan', () => {
  it('prepares and accepts, never by a cached promise nor by a read, and leaves the value as it was', async () => {
    const stores = new Stores();
    await stores.time.run(stores.mine.cas(KEY, 0, 'v'));
    const before = stores.acceptor('a1').memory.registers.get(KEY)?.value;
    stores.forget();
    await stores.time.run(stores.mine.rescan(KEY));
    expect([stores.messages('prepare').length, stores.messages('accept').length, stores.messages('read').length]).toEqual([3, 3, 0]);
    expect(new Set(stores.messages('accept').map(({ value }) => value))).toEqual(new Set([before]));
  });

  it('brings also a register that holds nothing but a promise to an accept quorum', async () => {
    const stores = new Stores();
    await stores.acceptor('a1').memory.prepare(KEY, ballot(0, 1));
    await stores.time.run(stores.mine.rescan(KEY));
    for (const { memory } of stores.acceptors.values()) expect(memory.registers.get(KEY)?.ballot.era).toBe(1);
  });
});

describe('compare-and-set', () => {
  it('writes where the version matches, and reports the present version and value where it does not', async () => {
    const stores = new Stores();
    expect(await stores.time.run(stores.mine.cas(KEY, 0, 'one'))).toEqual({ ver: 1, val: 'one' });
    expect(await stores.time.run(stores.mine.cas(KEY, 1, 'two'))).toEqual({ ver: 2, val: 'two' });
    for (const ver of [0, 1, 3]) {
      const error = await stores.time.run(rejection(stores.mine.cas(KEY, ver, 'x')));
      expect(error).toBeInstanceOf(VersionMismatch);
      expect(error).toMatchObject({ details: { key: KEY, ver: 2, val: 'two' }, message: `the key is at version 2, not ${ver}` });
    }
    expect(await stores.time.run(stores.theirs.get(KEY))).toEqual({ ver: 2, val: 'two' });
  });

  it('gives each write an operation id of its own, which the identity keeps', async () => {
    const stores = new Stores();
    await stores.time.run(stores.mine.cas(KEY, 0, 'one'));
    await stores.time.run(stores.mine.rescan(KEY));
    await stores.time.run(stores.mine.get(KEY));
    expect(stores.acceptor('a1').memory.registers.get(KEY)?.value).toContain('mine 1');
    await stores.time.run(stores.mine.cas(KEY, 1, 'one'));
    expect(stores.acceptor('a1').memory.registers.get(KEY)?.value).toContain('mine 2');
  });

  it('is stored as the version, the value, and the ids of the operations that wrote it and the versions before, the latest first', async () => {
    const stores = new Stores();
    await stores.time.run(stores.mine.cas(KEY, 0, 'one'));
    await stores.time.run(stores.mine.cas(KEY, 1, ['two']));
    expect(stores.acceptor('a1').memory.registers.get(KEY)?.value).toBe('{"ver":2,"val":["two"],"ops":["mine 2","mine 1"]}');
  });

  it('that the last write through this proposer makes a miss is told so by a read: nothing is written to tell it', async () => {
    const stores = new Stores();
    await stores.time.run(stores.mine.cas(KEY, 0, 'one'));
    const before = stores.snapshot();
    expect(await stores.time.run(rejection(stores.mine.cas(KEY, 7, 'x')))).toMatchObject({ details: { ver: 1, val: 'one' } });
    expect(stores.snapshot()).toEqual(before);
    expect(await stores.time.run(stores.mine.cas(KEY, 1, 'two'))).toEqual({ ver: 2, val: 'two' });
  });

  it('that sent no accept is certainly not applied, whatever failed, also where its mismatch could not be confirmed (rule 8)', async () => {
    const stores = new Stores();
    stores.fates({ a1: only('prepare', 'refuse'), a2: only('prepare', 'lose') });
    expect(await stores.time.run(rejection(stores.mine.cas(KEY, 0, 'v')))).toBeInstanceOf(PrepareError);
    stores.fates({});
    await stores.time.run(stores.mine.cas(KEY, 0, 'one'));
    const unread =
      (accept: Fate) =>
      ({ kind }: Message): Fate =>
        kind === 'read' ? 'refuse' : kind === 'accept' ? accept : 'answer';
    stores.fates({ a1: unread('silence'), a2: unread('break') });
    const startMs = stores.time.nowMs();
    expect(await stores.time.run(rejection(stores.mine.cas(KEY, 7, 'x')))).toBeInstanceOf(PrepareError);
    expect(stores.time.nowMs() - startMs).toBe(TIMEOUT_MS);
  });
});

describe('rule 9: after an accept that failed, a full round decides', () => {
  it('its own id at the next version: applied, though the answer was lost', async () => {
    for (const fate of ['break', 'silence'] as const) {
      const stores = new Stores();
      await stores.time.run(stores.mine.cas(KEY, 0, 'one'));
      stores.failNextAccept({ a1: fate, a2: fate, a3: fate });
      expect(await stores.time.run(stores.mine.cas(KEY, 1, 'two'))).toEqual({ ver: 2, val: 'two' });
      expect(await stores.time.run(stores.theirs.get(KEY))).toEqual({ ver: 2, val: 'two' });
    }
  });

  it('its own id, found on one acceptor only: completed, and applied', async () => {
    const stores = new Stores();
    await stores.time.run(stores.mine.cas(KEY, 0, 'one'));
    stores.failNextAccept({ a2: 'refuse', a3: 'lose' });
    expect(await stores.time.run(stores.mine.cas(KEY, 1, 'two'))).toEqual({ ver: 2, val: 'two' });
  });

  it('the version that it expected: not applied, so it is applied now, once', async () => {
    for (const fate of ['refuse', 'lose'] as const) {
      const stores = new Stores();
      await stores.time.run(stores.mine.cas(KEY, 0, 'one'));
      stores.failNextAccept({ a1: fate, a2: fate, a3: fate });
      expect(await stores.time.run(stores.mine.cas(KEY, 1, 'two'))).toEqual({ ver: 2, val: 'two' });
      expect(await stores.time.run(stores.theirs.get(KEY))).toEqual({ ver: 2, val: 'two' });
    }
  });

  it('decides by rounds that prepare, never by a cached promise', async () => {
    const stores = new Stores();
    await stores.time.run(stores.mine.cas(KEY, 0, 'one'));
    stores.forget();
    stores.failNextAccept({ a1: 'refuse', a2: 'refuse', a3: 'refuse' });
    await stores.time.run(stores.mine.cas(KEY, 1, 'two'));
    expect(stores.messages('prepare').length).toBe(3);
  });

  it('decides so also where another round of this proposer was promised the next one meanwhile', async () => {
    const stores = new Stores();
    await stores.time.run(stores.mine.cas(KEY, 0, 'one'));
    stores.fates({ a1: only('accept', 'refuse'), a2: only('accept', 'refuse'), a3: only('accept', 'refuse') });
    const outcome = stores.mine.cas(KEY, 1, 'two');
    await stores.time.settle();
    stores.fates({});
    await stores.proposer1.change(KEY, (value) => value);
    stores.forget();
    expect(await stores.time.run(outcome)).toEqual({ ver: 2, val: 'two' });
    expect(stores.messages('prepare').length).toBe(3);
  });

  /** My write of version 2 is accepted by the acceptors named only; then the others write on until `ver`, without them where `apart`. */
  async function overtaken(holders: readonly string[], ver: number): Promise<{ stores: Stores; outcome: Promise<unknown> }> {
    const stores = new Stores();
    await stores.time.run(stores.mine.cas(KEY, 0, 'one'));
    await stores.moveOnTo(1);
    await stores.time.run(stores.mine.rescan(KEY).catch(() => undefined));
    await stores.time.run(stores.mine.rescan(KEY));
    stores.fates(
      Object.fromEntries(
        stores.names.map(
          (name) => [name, ({ kind }: Message) => (kind !== 'accept' ? 'answer' : holders.includes(name) ? 'silence' : 'lose')] as const,
        ),
      ),
    );
    const outcome = stores.mine.cas(KEY, 1, 'mine').catch((error: unknown) => error);
    await stores.time.settle();
    // My proposer waits for its accepts now. The others see all acceptors, or all but those that hold my write.
    const blind = (name: string) => (message: Message) =>
      'ballot' in message && message.ballot.proposer === 1 ? 'answer' : holders.includes(name) ? 'refuse' : 'answer';
    stores.fates(Object.fromEntries(stores.names.map((name) => [name, holders.length < 2 ? blind(name) : 'answer'] as const)));
    const startMs = stores.time.nowMs();
    await moveOnInNoTime(stores, ver);
    expect(stores.time.nowMs()).toBe(startMs);
    return { stores, outcome };
  }

  /** As {@link Stores.moveOnTo}, without moving the clock: my proposer must not give up meanwhile. */
  async function moveOnInNoTime(stores: Stores, ver: number): Promise<void> {
    for (let turn = 0; turn < 200; turn += 1) {
      const present = await stores.theirs.get(KEY).catch(() => undefined);
      if (present && present.ver >= ver) return;
      if (present) await stores.theirs.cas(KEY, present.ver, `theirs ${present.ver + 1}`).catch(() => undefined);
    }
    throw new Error(`the key never came to version ${ver}`);
  }

  it('another id at the next version: a miss', async () => {
    const { stores, outcome } = await overtaken(['a1'], 2);
    stores.fates({});
    const error = await stores.time.run(outcome);
    expect(error).toBeInstanceOf(VersionMismatch);
    expect(error).toMatchObject({ details: { ver: 2, val: 'theirs 2' } });
  });

  it('below the version that it expected, which was never chosen: a miss', async () => {
    const stores = new Stores();
    // Version 5 is on one acceptor only, accepted below the ballots of the proposers; my proposer builds on it, alone with that acceptor.
    await stores
      .acceptor('a1')
      .memory.accept(KEY, ballot(0, 1), JSON.stringify({ ver: 5, val: 'half', op: 'x', ops: ['x', 'y', 'z', 'u', 'v'] }), ballot(0, 1));
    stores.fates({ a1: only('accept', 'refuse'), a2: 'refuse', a3: only('accept', 'lose') });
    const outcome = rejection(stores.mine.cas(KEY, 5, 'mine'));
    await stores.time.settle();
    expect(stores.messages('accept').length).toBeGreaterThan(0);
    stores.fates({ a1: 'refuse' });
    const error = await stores.time.run(outcome);
    expect(error).toBeInstanceOf(VersionMismatch);
    expect(error).toMatchObject({ details: { ver: 0, val: null } });
  });

  it.each([3, OPEN_VERSION + IDS_KEPT - 1])(
    'some versions on, up to %i: applied where its own id wrote the next one, a miss where another did',
    async (ver) => {
      const applied = await overtaken(['a1', 'a2', 'a3'], ver);
      applied.stores.fates({});
      expect(await applied.stores.time.run(applied.outcome)).toEqual({ ver: 2, val: 'mine' });
      const missed = await overtaken([], ver);
      missed.stores.fates({});
      const error = await missed.stores.time.run(missed.outcome);
      expect(error).toBeInstanceOf(VersionMismatch);
      expect(error).toMatchObject({ details: { ver, val: `theirs ${ver}` } });
    },
  );

  it('far beyond, with an accept that was sent: unknown, in both ways that it may have gone', async () => {
    for (const holders of [[], ['a1', 'a2', 'a3']]) {
      const { stores, outcome } = await overtaken(holders, OPEN_VERSION + IDS_KEPT);
      stores.fates({});
      const error = await stores.time.run(outcome);
      expect(error).toBeInstanceOf(CommitError);
      expect(error).toHaveProperty('message', 'the key moved on while the outcome of this write was open');
    }
  });

  it('far beyond, where no accept was ever sent: a miss', async () => {
    const stores = new Stores();
    await stores.moveOnTo(20);
    for (let turn = 0; turn < 3; turn += 1) {
      const error = await stores.time.run(rejection(stores.mine.cas(KEY, 0, 'x')));
      if (error instanceof PrepareError) continue;
      expect(error).toBeInstanceOf(VersionMismatch);
      return;
    }
    throw new Error('never answered');
  });

  it.each(['prepare', 'accept'] as const)(
    'where every %s fails from then on: unknown, after the time it has, and whatever error came last',
    async (kind) => {
      const stores = new Stores();
      await stores.time.run(stores.mine.cas(KEY, 0, 'one'));
      const fates =
        kind === 'prepare'
          ? ({ a1: 'refuse', a2: 'refuse', a3: 'refuse' } as const)
          : { a1: only('accept', 'refuse'), a2: only('accept', 'refuse') };
      stores.fates({ a1: only('accept', 'refuse'), a2: only('accept', 'refuse') });
      const outcome = rejection(stores.mine.cas(KEY, 1, 'two'));
      await stores.time.settle();
      stores.fates(fates);
      const startMs = stores.time.nowMs();
      expect(await stores.time.run(outcome)).toBeInstanceOf(CommitError);
      expect(stores.time.nowMs() - startMs).toBeGreaterThan(RESOLVE_MS / 4);
      expect(stores.time.nowMs() - startMs).toBeLessThanOrEqual(RESOLVE_MS + 2 * TIMEOUT_MS);
      expect(stores.time.pending).toBe(0);
      expect(stores.searched).toEqual([false]);
    },
  );

  it('who counts is told that a search found it, and of none where there was none', async () => {
    const stores = new Stores();
    await stores.time.run(stores.mine.cas(KEY, 0, 'one'));
    expect(stores.searched).toEqual([]);
    stores.failNextAccept({ a1: 'break', a2: 'break' });
    expect(await stores.time.run(stores.mine.cas(KEY, 1, 'two'))).toEqual({ ver: 2, val: 'two' });
    expect(stores.searched).toEqual([true]);
    const uncounted = stores.store(stores.proposer1, 'uncounted');
    stores.failNextAccept({ a1: 'break', a2: 'break' });
    expect(await stores.time.run(uncounted.cas(KEY, 2, 'three'))).toEqual({ ver: 3, val: 'three' });
  });

  it('where others write the key, too: they are let through before the first round', async () => {
    const stores = new Stores();
    await stores.time.run(stores.mine.cas(KEY, 0, 'one'));
    const takesMs = async (isContended: boolean, ver: number): Promise<number> => {
      stores.failNextAccept({ a1: 'refuse', a2: 'refuse' });
      const startMs = stores.time.nowMs();
      expect(await stores.time.run(stores.mine.runBatch(KEY, [{ ver, val: 'mine' }], isContended))).toEqual([
        { ver: ver + 1, val: 'mine' },
      ]);
      return stores.time.nowMs() - startMs;
    };
    expect(await takesMs(false, 1)).toBe(0);
    expect(await takesMs(true, 2)).toBe(0.5 * BACKOFF_MS);
  });

  it('where every answer to an accept is lost from then on: a read after the first round finds the write', async () => {
    const stores = new Stores();
    await stores.time.run(stores.mine.cas(KEY, 0, 'one'));
    stores.fates({ a1: only('accept', 'break'), a2: only('accept', 'break') });
    expect(await stores.time.run(stores.mine.cas(KEY, 1, 'two'))).toEqual({ ver: 2, val: 'two' });
  });

  it('tries again where the whole of the next pause fits into the time that is left, and says why it gave up', async () => {
    // Pauses of up to 1, 2 and 4 times the back-off, of which half is slept: attempts after 0, 0.5 and 1.5 times of it.
    for (const [resolveMs, lastAttemptMs] of [
      [2.5 * BACKOFF_MS, 1.5 * BACKOFF_MS],
      [2.5 * BACKOFF_MS - 1, 0.5 * BACKOFF_MS],
    ] as const) {
      const stores = new Stores();
      const store = stores.store(stores.proposer1, 'mine', resolveMs);
      await stores.time.run(store.cas(KEY, 0, 'one'));
      stores.fates({ a1: 'refuse', a2: 'refuse', a3: 'refuse' });
      const startMs = stores.time.nowMs();
      const error = await stores.time.run(rejection(store.cas(KEY, 1, 'two')));
      expect(stores.time.nowMs() - startMs).toBe(lastAttemptMs);
      expect(error).toBeInstanceOf(CommitError);
      expect(error).toHaveProperty(
        'message',
        'the outcome of this write is unknown: 0 of 3 acceptors promised, 2 are needed; 0 preferred a higher ballot',
      );
    }
  });

  it('where the configuration was taken away meanwhile: unknown', async () => {
    const stores = new Stores();
    await stores.time.run(stores.mine.cas(KEY, 0, 'one'));
    stores.fates({ a1: only('accept', 'refuse'), a2: only('accept', 'refuse') });
    const none = { nodes: [], quorum: 0 };
    const outcome = rejection(stores.mine.cas(KEY, 1, 'two'));
    const emptied = stores.proposer1.reconfigure({ era: 2, prepare: none, accept: none }, async () => undefined);
    await stores.time.run(emptied);
    expect(await stores.time.run(outcome)).toBeInstanceOf(CommitError);
  });

  it('and tries again until it knows, taking the configuration as it is then', async () => {
    const stores = new Stores();
    await stores.time.run(stores.mine.cas(KEY, 0, 'one'));
    stores.fates({ a1: only('accept', 'lose'), a2: only('accept', 'lose'), a3: only('accept', 'lose') });
    const outcome = stores.mine.cas(KEY, 1, 'two');
    await stores.time.advance(TIMEOUT_MS + 1);
    stores.fates({ a2: 'refuse', a3: 'refuse' });
    const alone = { nodes: ['a1'], quorum: 1 };
    const shrunk = stores.proposer1.reconfigure({ era: 2, prepare: alone, accept: alone }, async () => undefined);
    await stores.time.run(shrunk);
    expect(await stores.time.run(outcome)).toEqual({ ver: 2, val: 'two' });
  });
});

describe('operations that wait for one key together', () => {
  const write = (ver: number, val: unknown): { ver: number; val: unknown } => ({ ver, val });

  it('take one round: of writes that expect the same version the first is applied, and the others learn of it', async () => {
    const stores = new Stores();
    await stores.time.run(stores.mine.cas(KEY, 0, 'zero'));
    stores.forget();
    const [read, first, second, future] = await stores.time.run(
      stores.mine.runBatch(KEY, ['read', write(1, 'first'), write(1, 'second'), write(7, 'x')]),
    );
    expect(first).toEqual({ ver: 2, val: 'first' });
    expect(read).toEqual({ ver: 2, val: 'first' });
    for (const missed of [second, future]) {
      expect(missed).toBeInstanceOf(VersionMismatch);
      expect(missed).toMatchObject({ details: { ver: 2, val: 'first' } });
    }
    expect(stores.messages('accept')).toHaveLength(3);
    expect(stores.messages('prepare')).toHaveLength(0);
  });

  it('are applied in their order where one expects what another writes', async () => {
    const stores = new Stores();
    const outcomes = await stores.time.run(stores.mine.runBatch(KEY, [write(0, 'a'), write(1, 'b'), write(2, 'c')]));
    expect(outcomes).toEqual([write(1, 'a'), write(2, 'b'), write(3, 'c')]);
    expect(await stores.time.run(stores.theirs.get(KEY))).toEqual({ ver: 3, val: 'c' });
  });

  it('that ask for a rescan are carried by a full round that keeps no promise', async () => {
    const stores = new Stores();
    await stores.time.run(stores.mine.cas(KEY, 0, 'v'));
    stores.forget();
    expect(await stores.time.run(stores.mine.runBatch(KEY, ['rescan', write(1, 'w')]))).toEqual([write(2, 'w'), write(2, 'w')]);
    await stores.time.run(stores.mine.readByRound(KEY));
    expect(stores.messages('prepare')).toHaveLength(6);
  });

  it('each find their own verdict after an accept that failed', async () => {
    const stores = new Stores();
    await stores.time.run(stores.mine.cas(KEY, 0, 'v'));
    stores.failNextAccept({ a2: 'lose', a3: 'lose' });
    const [read, applied, missed] = await stores.time.run(stores.mine.runBatch(KEY, ['read', write(1, 'mine'), write(0, 'x')]));
    expect(applied).toEqual(write(2, 'mine'));
    expect(read).toEqual(write(2, 'mine'));
    expect(missed).toBeInstanceOf(VersionMismatch);
  });

  it('are unknown only where an accept that carries them was sent; the others changed nothing', async () => {
    const stores = new Stores();
    await stores.time.run(stores.mine.cas(KEY, 0, 'v'));
    stores.fates({ a1: only('accept', 'lose'), a2: 'lose', a3: 'lose' });
    const [read, sent, unsent] = await stores.time.run(stores.mine.runBatch(KEY, ['read', write(1, 'mine'), write(5, 'x')]));
    expect(sent).toBeInstanceOf(CommitError);
    expect(unsent).toBeInstanceOf(PrepareError);
    expect(read).toBeInstanceOf(PrepareError);
  });

  it('are unknown also where the search for the outcome of another one sent them first', async () => {
    const stores = new Stores();
    await stores.time.run(stores.mine.cas(KEY, 0, 'v'));
    stores.failNextAccept({ a1: 'lose', a2: 'lose', a3: 'lose' });
    const outcomes = stores.mine.runBatch(KEY, [write(1, 'mine'), write(3, 'x')]);
    // The accept of the first one is lost; when the search begins, the key is where the second one expects it, and its accept gets no answer.
    await stores.time.advance(TIMEOUT_MS - 1);
    await stores.moveOnTo(3);
    stores.fates({ a1: only('accept', 'silence'), a2: only('accept', 'silence'), a3: only('accept', 'silence') });
    await stores.time.advance(TIMEOUT_MS / 2);
    stores.fates({ a1: 'refuse', a2: 'refuse', a3: 'refuse' });
    const [first, second] = await stores.time.run(outcomes);
    expect(first).toBeInstanceOf(CommitError);
    expect(second).toBeInstanceOf(CommitError);
    expect(second).toHaveProperty('cause', expect.any(PrepareError));
  });

  it('all changed nothing where the prepare failed', async () => {
    const stores = new Stores();
    stores.fates({ a2: 'refuse', a3: 'refuse' });
    const outcomes = await stores.time.run(stores.mine.runBatch(KEY, ['rescan', write(0, 'x')]));
    for (const outcome of outcomes) expect(outcome).toBeInstanceOf(PrepareError);
  });
});

describe('operations on a key that others write, too', () => {
  const write = (ver: number, val: unknown): { ver: number; val: unknown } => ({ ver, val });
  const ballots = (stores: Stores): number => stores.messages('prepare').length + stores.messages('accept').length;

  it("that all missed are shown so by a read, which stands in nobody's way", async () => {
    const stores = new Stores();
    await stores.time.run(stores.theirs.cas(KEY, 0, 'theirs'));
    stores.forget();
    const [read, missed] = await stores.time.run(stores.mine.runBatch(KEY, ['read', write(0, 'mine')], true));
    expect(read).toEqual(write(1, 'theirs'));
    expect(missed).toBeInstanceOf(VersionMismatch);
    expect(missed).toMatchObject({ details: { ver: 1, val: 'theirs' } });
    expect(ballots(stores)).toBe(0);
  });

  it('take a round where one of them may be applied', async () => {
    const stores = new Stores();
    await stores.time.run(stores.theirs.cas(KEY, 0, 'theirs'));
    await stores.time.run(stores.mine.get(KEY));
    const [missed, done] = await stores.time.run(stores.mine.runBatch(KEY, [write(0, 'x'), write(1, 'mine')], true));
    expect(missed).toBeInstanceOf(VersionMismatch);
    expect(done).toEqual(write(2, 'mine'));
  });

  it('are not looked at first where one expects what this proposer wrote last', async () => {
    const stores = new Stores();
    await stores.time.run(stores.mine.cas(KEY, 0, 'v'));
    stores.forget();
    expect(await stores.time.run(stores.mine.runBatch(KEY, [write(1, 'w')], true))).toEqual([write(2, 'w')]);
    expect(stores.messages('read')).toHaveLength(0);
  });

  it('are carried by a full round where one asks for a rescan', async () => {
    const stores = new Stores();
    await stores.time.run(stores.theirs.cas(KEY, 0, 'v'));
    await stores.time.run(stores.mine.get(KEY));
    stores.forget();
    expect(await stores.time.run(stores.mine.runBatch(KEY, ['rescan'], true))).toEqual([write(1, 'v')]);
    expect(stores.messages('accept')).toHaveLength(3);
  });

  /** My accept failed, and the others have written since. */
  const overtaken = async (isContended: boolean): Promise<{ stores: Stores; outcome: unknown }> => {
    const stores = new Stores();
    await stores.time.run(stores.mine.cas(KEY, 0, 'v'));
    await stores.time.run(stores.theirs.get(KEY));
    // In their way stands my promise, in mine then theirs.
    await stores.time.run(stores.theirs.cas(KEY, 1, 'theirs').catch(() => undefined));
    if ((await stores.time.run(stores.theirs.get(KEY))).ver === 1) await stores.time.run(stores.theirs.cas(KEY, 1, 'theirs'));
    stores.forget();
    const [outcome] = await stores.time.run(stores.mine.runBatch(KEY, [write(1, 'mine')], isContended));
    return { stores, outcome };
  };

  it('find the verdict on an accept that failed by a read, where others have written since', async () => {
    const { stores, outcome } = await overtaken(true);
    expect(outcome).toBeInstanceOf(VersionMismatch);
    expect(stores.messages('prepare')).toHaveLength(0);
    expect(stores.messages('read').length).toBeGreaterThan(0);
  });

  it('find it by a full round otherwise', async () => {
    const { stores, outcome } = await overtaken(false);
    expect(outcome).toBeInstanceOf(VersionMismatch);
    expect(stores.messages('prepare')).toHaveLength(3);
  });

  it('and where nobody has, an accept that failed is not taken for one that never will be: a full round decides', async () => {
    const stores = new Stores();
    await stores.time.run(stores.mine.cas(KEY, 0, 'v'));
    stores.failNextAccept({ a1: 'lose', a2: 'lose', a3: 'lose' });
    expect(await stores.time.run(stores.mine.runBatch(KEY, [write(1, 'mine'), write(5, 'x')], true))).toEqual([
      write(2, 'mine'),
      expect.any(VersionMismatch) as VersionMismatch,
    ]);
    expect(stores.messages('prepare').length).toBeGreaterThan(3);
  });
});
