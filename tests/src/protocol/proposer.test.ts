import { type ChangeFunction, keepValue } from '../../../src/protocol/change.js';
import { describe, expect, it } from 'vitest';
import type { Acceptor } from '../../../src/protocol/acceptor.js';
import { compareBallots, formatBallot, type Ballot } from '../../../src/protocol/ballot.js';
import { EMPTY_CONFIGURATION } from '../../../src/protocol/configuration.js';
import { CommitError, ConcurrentRequestError, NotConfigured, PrepareError, StaleConfiguration } from '../../../src/protocol/errors.js';
import { Registers } from '../../registers.js';
import type { Message } from '../../../verification/simulation/acceptor-message.js';
import { type Fate, only, ScriptedCluster, TIMEOUT_MS } from '../../scripted-cluster.js';

const set =
  (value: string): ChangeFunction =>
  () =>
    value;
const ballot = (era: number, counter: number, proposer = 9): Ballot => ({ era, counter, proposer, incarnation: 1 });
const KEY = 'k';
const FULL = { usePromise: false };
const ONCE = { usePromise: false, keepPromise: false };

/** Every ballot that the acceptors were sent, with the value it was sent with, each distinct pair once. */
function proposals(cluster: ScriptedCluster): Map<string, Set<string | null>> {
  const values = new Map<string, Set<string | null>>();
  for (const { ballot: sent, value } of cluster.messages('accept')) {
    const text = formatBallot(sent);
    values.set(text, (values.get(text) ?? new Set()).add(value));
  }
  return values;
}

describe('a change', () => {
  it('applies a function to what the register holds, for each key apart', async () => {
    const cluster = new ScriptedCluster(3);
    const proposer = cluster.proposer(1);
    expect(await cluster.time.run(proposer.apply(KEY, (value) => `${value ?? 'nothing'} then one`))).toBe('nothing then one');
    expect(await cluster.time.run(cluster.proposer(2).apply('other', keepValue))).toBeNull();
    expect(
      await cluster.time.run(
        cluster
          .proposer(2)
          .apply(KEY, keepValue)
          .catch(() => 'outrun'),
      ),
    ).toBe('outrun');
    expect(await cluster.time.run(proposer.apply(KEY, (value) => `${String(value)}, two`))).toBe('nothing then one, two');
    expect(cluster.time.pending).toBe(0);
  });

  it('goes on from the value of the highest accepted ballot among the promises, not from the most frequent', async () => {
    const cluster = new ScriptedCluster(3);
    await cluster.acceptor('a1').memory.accept(KEY, ballot(1, 10), 'newest', ballot(1, 10));
    await cluster.acceptor('a2').memory.accept(KEY, ballot(1, 9), 'older', ballot(1, 9));
    await cluster.acceptor('a3').memory.accept(KEY, ballot(1, 9), 'older', ballot(1, 9));
    const proposer = cluster.proposer(1);
    await cluster.time.run(proposer.apply(KEY, keepValue).catch(() => undefined));
    expect(await cluster.time.run(proposer.apply(KEY, keepValue))).toBe('newest');
  });

  it('is refused by a proposer without acceptors, in either set', async () => {
    const cluster = new ScriptedCluster(1);
    const none = { nodes: [], quorum: 0 };
    for (const configuration of [EMPTY_CONFIGURATION, cluster.configuration({ prepare: none }), cluster.configuration({ accept: none })]) {
      await expect(cluster.proposer(1, configuration).apply(KEY, keepValue)).rejects.toThrow(NotConfigured);
      await expect(cluster.proposer(1, configuration).read(KEY)).rejects.toThrow(NotConfigured);
    }
  });

  it('that throws leaves the register as it was and the proposer free', async () => {
    const cluster = new ScriptedCluster(3);
    const proposer = cluster.proposer(1);
    const broken = (): never => {
      throw new RangeError('no');
    };
    await expect(cluster.time.run(proposer.apply(KEY, broken))).rejects.toThrow(RangeError);
    expect(cluster.messages('accept')).toEqual([]);
    expect(await cluster.time.run(proposer.apply(KEY, set('v')))).toBe('v');
  });

  it('counts an acceptor of an unknown name as one that does not answer, also after the accept was sent to others', async () => {
    const cluster = new ScriptedCluster(2);
    const accept = { nodes: ['a1', 'nobody'], quorum: 2 };
    const proposer = cluster.proposer(1, cluster.configuration({ prepare: { nodes: ['a1'], quorum: 1 }, accept }));
    await expect(cluster.time.run(proposer.apply(KEY, set('v')))).rejects.toThrow(CommitError);
  });
});

describe('rule 2: no ballot is used twice', () => {
  it('every prepare and every piggybacked promise takes the next one, whatever became of the last round', async () => {
    const cluster = new ScriptedCluster(3);
    const proposer = cluster.proposer(1);
    const last: Ballot[] = [];
    for (const fate of ['answer', 'lose', 'silence', 'answer', 'break', 'refuse', 'answer', 'answer'] as const) {
      for (const kind of ['prepare', 'accept'] as const) {
        cluster.forget();
        cluster.fates({ a1: only(kind, fate), a2: only(kind, fate) });
        await cluster.time.run(proposer.apply(KEY, set(`${kind} ${fate}`)).catch(() => undefined));
        const fresh = [...cluster.messages('prepare').map((sent) => sent.ballot), ...cluster.messages('accept').map((sent) => sent.next)];
        const distinct = [...new Map(fresh.map((one) => [formatBallot(one), one])).values()];
        for (const one of distinct) for (const before of last) expect(compareBallots(one, before)).toBeGreaterThan(0);
        last.push(...distinct);
      }
    }
    expect(last.length).toBeGreaterThanOrEqual(16);
  });

  it('a restarted proposer shares none with its earlier start, though its counter begins anew', async () => {
    const cluster = new ScriptedCluster(3);
    cluster.fates({ a1: 'lose', a2: 'lose', a3: 'lose' });
    for (const incarnation of [1, 2]) {
      await cluster.time.run(
        cluster
          .proposer(1, cluster.configuration(), incarnation)
          .apply(KEY, keepValue)
          .catch(() => undefined),
      );
    }
    const [first, second] = cluster.acceptor('a1').log;
    expect(first).not.toEqual(second);
  });

  it('a proposer runs one round for a key at a time, and rounds for different keys side by side', async () => {
    const cluster = new ScriptedCluster(3);
    const proposer = cluster.proposer(1);
    const first = proposer.apply(KEY, set('first'));
    await expect(proposer.apply(KEY, set('second'))).rejects.toThrow(ConcurrentRequestError);
    expect(await cluster.time.run(Promise.all([first, proposer.apply('other', set('third'))]))).toEqual(['first', 'third']);
    cluster.fates({ a1: 'refuse', a2: 'refuse' });
    await expect(cluster.time.run(proposer.apply(KEY, set('lost')))).rejects.toThrow(CommitError);
    cluster.fates({});
    expect(await cluster.time.run(proposer.apply(KEY, set('fourth')))).toBe('fourth');
  });
});

describe('rule 3: after an accept that did not reach its quorum, the cached ballot and value are dropped', () => {
  it.each(['lose', 'silence', 'refuse', 'break'] as const)('where the acceptors %s it', async (fate) => {
    const cluster = new ScriptedCluster(3);
    const proposer = cluster.proposer(1);
    await cluster.time.run(proposer.apply(KEY, set('one')));
    cluster.fates({ a2: fate, a3: fate });
    await expect(cluster.time.run(proposer.apply(KEY, (value) => `${String(value)} two`))).rejects.toThrow(CommitError);
    cluster.fates({});
    cluster.forget();
    expect(await cluster.time.run(proposer.apply(KEY, (value) => `${String(value)} three`))).toBe('one two three');
    expect(cluster.messages('prepare').length).toBe(3);
  });

  it('where a conflict stood in the way', async () => {
    const cluster = new ScriptedCluster(3);
    const proposer = cluster.proposer(1);
    await cluster.time.run(proposer.apply(KEY, set('one')));
    for (const name of ['a2', 'a3']) await cluster.acceptor(name).memory.prepare(KEY, ballot(1, 50));
    await expect(cluster.time.run(proposer.apply(KEY, set('two')))).rejects.toThrow(CommitError);
    cluster.forget();
    await cluster.time.run(proposer.apply(KEY, keepValue));
    expect(cluster.messages('prepare').length).toBe(3);
  });

  it('so that no ballot is ever sent with two values', async () => {
    const cluster = new ScriptedCluster(3);
    const proposer = cluster.proposer(1);
    for (let turn = 0; turn < 12; turn += 1) {
      const fate = turn % 3 === 0 ? 'answer' : turn % 3 === 1 ? 'lose' : 'silence';
      cluster.fates({ a1: only('accept', fate), a2: only('accept', fate) });
      await cluster.time.run(proposer.apply(KEY, set(`value ${turn}`)).catch(() => undefined));
    }
    for (const values of proposals(cluster).values()) expect(values.size).toBe(1);
  });
});

describe('rule 4: fast-forward', () => {
  it('raises the counter above the ballot that stood in the way of a prepare', async () => {
    const cluster = new ScriptedCluster(3);
    for (const { memory } of cluster.acceptors.values()) await memory.prepare(KEY, ballot(1, 41));
    const proposer = cluster.proposer(1);
    await expect(cluster.time.run(proposer.apply(KEY, set('v')))).rejects.toThrow(PrepareError);
    cluster.forget();
    expect(await cluster.time.run(proposer.apply(KEY, set('v')))).toBe('v');
    expect(cluster.messages('prepare').map((sent) => sent.ballot.counter)).toEqual([42, 42, 42]);
  });

  it('raises it above the ballot that stood in the way of an accept', async () => {
    const cluster = new ScriptedCluster(3);
    const proposer = cluster.proposer(1);
    await cluster.time.run(proposer.apply(KEY, set('one')));
    for (const { memory } of cluster.acceptors.values()) await memory.prepare(KEY, ballot(1, 41));
    await expect(cluster.time.run(proposer.apply(KEY, set('two')))).rejects.toThrow(CommitError);
    expect(await cluster.time.run(proposer.apply(KEY, set('two')))).toBe('two');
  });

  it('learns from a conflict of the minority too', async () => {
    const cluster = new ScriptedCluster(3);
    await cluster.acceptor('a1').memory.prepare(KEY, ballot(1, 41));
    const proposer = cluster.proposer(1);
    await cluster.time.run(proposer.apply(KEY, set('one')));
    expect(cluster.messages('accept').every((sent) => sent.next.counter > 41)).toBe(true);
  });

  it('never lowers the counter', async () => {
    const cluster = new ScriptedCluster(3);
    for (const { memory } of cluster.acceptors.values()) await memory.prepare(KEY, ballot(1, 41));
    for (const { memory } of cluster.acceptors.values()) await memory.prepare('low', ballot(1, 3));
    const proposer = cluster.proposer(1);
    await cluster.time.run(proposer.apply(KEY, keepValue).catch(() => undefined));
    expect(await cluster.time.run(proposer.apply('low', set('v')))).toBe('v');
    expect(await cluster.time.run(proposer.apply(KEY, set('v')))).toBe('v');
  });

  it('is only skipped where nobody answered: the next attempt goes on', async () => {
    const cluster = new ScriptedCluster(3);
    const proposer = cluster.proposer(1);
    cluster.fates({ a1: 'lose', a2: 'refuse', a3: 'lose' });
    await expect(cluster.time.run(proposer.apply(KEY, set('v')))).rejects.toThrow(PrepareError);
    cluster.fates({});
    expect(await cluster.time.run(proposer.apply(KEY, set('v')))).toBe('v');
  });

  it('uses ballots of the next era once it has seen one', async () => {
    const cluster = new ScriptedCluster(3);
    for (const { memory } of cluster.acceptors.values()) await memory.prepare(KEY, ballot(2, 7));
    const proposer = cluster.proposer(1, cluster.configuration({ era: 1 }));
    await expect(cluster.time.run(proposer.apply(KEY, set('v')))).rejects.toThrow(PrepareError);
    cluster.forget();
    expect(await cluster.time.run(proposer.apply(KEY, set('v')))).toBe('v');
    expect(cluster.messages('prepare').map((sent) => sent.ballot.era)).toEqual([2, 2, 2]);
  });

  it('shows by an era beyond the next that the configuration is stale, though a quorum promised', async () => {
    const cluster = new ScriptedCluster(3);
    await cluster.acceptor('a1').memory.prepare(KEY, ballot(3, 1));
    const proposer = cluster.proposer(1, cluster.configuration({ era: 1 }));
    await expect(cluster.time.run(proposer.apply(KEY, set('v')))).rejects.toThrow(StaleConfiguration);
    expect(cluster.messages('accept')).toEqual([]);
    await proposer.reconfigure(cluster.configuration({ era: 3 }), async () => undefined);
    await cluster.time.run(proposer.apply(KEY, set('v')).catch(() => undefined));
    expect(await cluster.time.run(proposer.apply(KEY, set('v')))).toBe('v');
  });

  it('tells nobody where nobody asked to be told', async () => {
    const cluster = new ScriptedCluster(3);
    const proposer = cluster.proposer(1, cluster.configuration({ era: 1 }), 1, {});
    for (const value of ['one', 'two']) expect(await cluster.time.run(proposer.apply(KEY, set(value)))).toBe(value);
    expect(await cluster.time.run(proposer.read(KEY))).toEqual({ value: 'two' });
    await cluster.acceptor('a1').memory.prepare('other', ballot(7, 1));
    await expect(cluster.time.run(proposer.apply('other', set('v')))).rejects.toThrow(StaleConfiguration);
  });

  it('says which era it saw where its configuration is stale, and nothing of the next era', async () => {
    const cluster = new ScriptedCluster(3);
    const seen: number[] = [];
    const acceptor = (name: string): Acceptor => cluster.acceptor(name).link;
    const { time } = cluster;
    const configuration = cluster.configuration({ era: 1 });
    const proposer = new Registers({
      id: 1,
      incarnation: 1,
      configuration,
      acceptor,
      time,
      timeoutMs: TIMEOUT_MS,
      events: { onStale: (era) => void seen.push(era) },
    });
    for (const { memory } of cluster.acceptors.values()) await memory.prepare(KEY, ballot(2, 1));
    await time.run(proposer.apply(KEY, set('v')).catch(() => undefined));
    expect(seen).toEqual([]);
    await cluster.acceptor('a1').memory.prepare(KEY, ballot(7, 1));
    await time.run(proposer.apply(KEY, set('v')).catch(() => undefined));
    expect(seen).toEqual([7]);
  });

  it('takes the outcome for unknown where a later era stood in the way of an accept, though a quorum confirmed it', async () => {
    const cluster = new ScriptedCluster(3);
    const proposer = cluster.proposer(1, cluster.configuration({ era: 1 }));
    await cluster.time.run(proposer.apply(KEY, set('one')));
    await cluster.acceptor('a1').memory.prepare(KEY, ballot(3, 1));
    await expect(cluster.time.run(proposer.apply(KEY, set('two')))).rejects.toThrow(CommitError);
    await expect(cluster.time.run(proposer.apply(KEY, set('two')))).rejects.toThrow(StaleConfiguration);
  });
});

describe('a prepare that failed', () => {
  it('has what went wrong with each acceptor as its cause', async () => {
    const cluster = new ScriptedCluster(3);
    cluster.fates({ a1: 'refuse', a3: 'decline' });
    const failed = await cluster.time.run(
      cluster
        .proposer(1)
        .apply(KEY, set('v'))
        .catch((error: unknown) => error),
    );
    expect(failed).toBeInstanceOf(PrepareError);
    const { cause } = failed as Error;
    expect(cause).toBeInstanceOf(AggregateError);
    expect((cause as AggregateError).errors).toEqual([
      new Error('connection refused'),
      expect.objectContaining({ message: 'it has no disk' }),
    ]);
  });
});

describe('rule 5: the one-round-trip path', () => {
  it('needs no prepare after an accept that a prepare quorum confirmed, again and again', async () => {
    const cluster = new ScriptedCluster(3);
    const proposer = cluster.proposer(1);
    await cluster.time.run(proposer.apply(KEY, set('0')));
    cluster.forget();
    for (let turn = 0; turn < 3; turn += 1) await cluster.time.run(proposer.apply(KEY, (value) => String(Number(value) + 1)));
    expect(cluster.messages('prepare')).toEqual([]);
    expect(await cluster.time.run(proposer.apply(KEY, keepValue))).toBe('3');
  });

  it('is not taken where the acceptors that confirmed hold no prepare quorum', async () => {
    const cluster = new ScriptedCluster(3);
    const prepare = { nodes: cluster.names, quorum: 3 };
    const proposer = cluster.proposer(1, cluster.configuration({ prepare, accept: { nodes: cluster.names, quorum: 1 } }));
    await cluster.time.run(proposer.apply(KEY, set('one')));
    cluster.forget();
    await cluster.time.run(proposer.apply(KEY, set('two')));
    expect(cluster.messages('prepare').length).toBe(3);
  });

  it('does not take confirmations from outside the prepare set for a promise', async () => {
    const cluster = new ScriptedCluster(3);
    const prepare = { nodes: ['a1'], quorum: 1 };
    const proposer = cluster.proposer(1, cluster.configuration({ prepare, accept: { nodes: cluster.names, quorum: 2 } }));
    cluster.fates({ a1: only('accept', 'refuse') });
    await cluster.time.run(proposer.apply(KEY, set('one')));
    cluster.forget();
    cluster.fates({});
    await cluster.time.run(proposer.apply(KEY, set('two')));
    expect(cluster.messages('prepare').length).toBe(1);
  });

  it('is not taken by a full round, which forgets the promise', async () => {
    const cluster = new ScriptedCluster(3);
    const proposer = cluster.proposer(1);
    await cluster.time.run(proposer.apply(KEY, set('one')));
    cluster.forget();
    cluster.fates({ a1: only('prepare', 'refuse'), a2: only('prepare', 'refuse') });
    await expect(cluster.time.run(proposer.apply(KEY, set('two'), FULL))).rejects.toThrow(PrepareError);
    cluster.fates({});
    cluster.forget();
    expect(await cluster.time.run(proposer.apply(KEY, keepValue))).toBe('one');
    expect(cluster.messages('prepare').length).toBe(3);
  });

  it('is not kept after a round of a rescan, which would keep one for every key', async () => {
    const cluster = new ScriptedCluster(3);
    const proposer = cluster.proposer(1);
    await cluster.time.run(proposer.apply(KEY, set('one'), ONCE));
    cluster.forget();
    await cluster.time.run(proposer.apply(KEY, set('two')));
    expect(cluster.messages('prepare').length).toBe(3);
  });

  it('ends where another proposer came between, without harm to its value', async () => {
    const cluster = new ScriptedCluster(3);
    const [one, two] = [cluster.proposer(1), cluster.proposer(2)];
    await cluster.time.run(one.apply(KEY, set('mine')));
    await cluster.time.run(two.apply(KEY, keepValue).catch(() => undefined));
    await cluster.time.run(two.apply(KEY, (value) => `${String(value)} theirs`));
    await expect(cluster.time.run(one.apply(KEY, set('lost')))).rejects.toThrow(CommitError);
    expect(await cluster.time.run(one.apply(KEY, keepValue))).toBe('mine theirs');
  });

  it('is not opened by replies that arrive after the proposer gave up on the round', async () => {
    const cluster = new ScriptedCluster(3);
    const proposer = cluster.proposer(1);
    cluster.fates({ a1: only('accept', 'hold'), a2: only('accept', 'hold') });
    await expect(cluster.time.run(proposer.apply(KEY, set('late')))).rejects.toThrow(CommitError);
    for (const name of ['a1', 'a2']) cluster.acceptor(name).release();
    await cluster.time.settle();
    cluster.fates({});
    cluster.forget();
    expect(await cluster.time.run(proposer.apply(KEY, keepValue))).toBe('late');
    expect(cluster.messages('prepare').length).toBe(3);
  });
});

describe('rule 10: a round fails as soon as its quorum is out of reach, and never waits for ever', () => {
  it.each([
    [1, ['a1']],
    [2, ['a2']],
    [3, ['a1', 'a3']],
    [4, ['a2', 'a3']],
    [5, ['a1', 'a2', 'a4']],
  ])('of %i acceptors without %s, at once, though the others are silent', async (size, refusing) => {
    for (const [kind, failure] of [
      ['prepare', PrepareError],
      ['accept', CommitError],
    ] as const) {
      const cluster = new ScriptedCluster(size);
      const proposer = cluster.proposer(1);
      for (const name of cluster.names) cluster.acceptor(name).fate = only(kind, refusing.includes(name) ? 'refuse' : 'lose');
      await expect(cluster.time.run(proposer.apply(KEY, set('v')))).rejects.toThrow(failure);
      expect(cluster.time.nowMs()).toBe(0);
    }
  });

  it.each([
    ['prepare', PrepareError],
    ['accept', CommitError],
  ] as const)('and after the time-out where the acceptors never answer a %s', async (kind, failure) => {
    const cluster = new ScriptedCluster(3);
    cluster.fates({ a1: only(kind, 'lose'), a2: only(kind, 'lose') });
    await expect(cluster.time.run(cluster.proposer(1).apply(KEY, set('v')))).rejects.toThrow(failure);
    expect(cluster.time.nowMs()).toBe(TIMEOUT_MS);
    expect(cluster.time.pending).toBe(0);
  });

  it('and goes on with a quorum while the rest is silent', async () => {
    const cluster = new ScriptedCluster(4);
    cluster.fates({ a4: 'lose' });
    expect(await cluster.time.run(cluster.proposer(1).apply(KEY, set('v')))).toBe('v');
    expect(cluster.time.nowMs()).toBe(0);
  });
});

describe('an accept', () => {
  const outcome = async (...fates: (Fate | ((message: Message) => Fate))[]): Promise<{ error: unknown; tookMs: number }> => {
    const cluster = new ScriptedCluster(fates.length);
    const proposer = cluster.proposer(1);
    cluster.fates(
      Object.fromEntries(fates.map((fate, index) => [`a${index + 1}`, typeof fate === 'string' ? only('accept', fate) : fate])),
    );
    const running = proposer.apply(KEY, set('v')).catch((error: unknown) => error);
    return { error: await cluster.time.run(running), tookMs: cluster.time.nowMs() };
  };

  it.each([1, 2, 3, 4, 5])('that none of %i acceptors ran is certainly not applied', async (size) => {
    const { error, tookMs } = await outcome(...Array.from({ length: size }, () => 'decline' as const));
    expect(error).toBeInstanceOf(PrepareError);
    expect(error).toHaveProperty('message', expect.stringMatching(/^0 of . acceptors accepted.*; a1.*: it has no disk$/));
    expect(tookMs).toBe(0);
  });

  it.each([
    ['acted and lost its connection', 'break'],
    ['could not be asked, with an error that says nothing', 'refuse'],
    ['took it', 'answer'],
  ] as const)('is unknown where one of three %s, first or last', async (_, fate) => {
    for (const fates of [[fate, 'decline', 'decline'] as const, ['decline', 'decline', fate] as const]) {
      const { error, tookMs } = await outcome(...fates);
      expect(error).toBeInstanceOf(CommitError);
      expect(tookMs).toBe(0);
    }
  });

  it.each(['lose', 'silence'] as const)('is unknown where the answer of one is missing (%s) when the time is up', async (fate) => {
    for (const fates of [[fate, 'decline', 'decline'] as const, ['decline', 'decline', fate] as const]) {
      const { error, tookMs } = await outcome(...fates);
      expect(error).toBeInstanceOf(CommitError);
      expect(error).toHaveProperty('message', expect.stringContaining(`: slow or stopped, no answer in ${TIMEOUT_MS} ms`));
      expect(tookMs).toBe(TIMEOUT_MS);
    }
  });

  it('is unknown where one preferred a higher ballot: the round that stood in the way is another matter', async () => {
    const cluster = new ScriptedCluster(3);
    const proposer = cluster.proposer(1);
    await cluster.time.run(proposer.apply(KEY, set('one')));
    await cluster.acceptor('a2').memory.prepare(KEY, ballot(1, 50));
    cluster.fates({ a1: 'decline', a3: 'decline' });
    await expect(cluster.time.run(proposer.apply(KEY, set('two')))).rejects.toThrow(CommitError);
  });

  it('that none ran takes its ballot with it: the next one has another', async () => {
    const cluster = new ScriptedCluster(3);
    const proposer = cluster.proposer(1);
    await cluster.time.run(proposer.apply(KEY, set('one')));
    for (const value of ['two', 'three', 'four']) {
      cluster.fates(Object.fromEntries(cluster.names.map((name) => [name, only('accept', 'decline')])));
      await expect(cluster.time.run(proposer.apply(KEY, set(value)))).rejects.toThrow(PrepareError);
    }
    cluster.fates({});
    expect(await cluster.time.run(proposer.apply(KEY, (value) => `${String(value)}, five`))).toBe('one, five');
    for (const values of proposals(cluster).values()) expect(values.size).toBe(1);
  });
});

describe('rule 11: a change of configuration', () => {
  it('waits for the rounds in flight and holds the new ones, which then run under the new configuration', async () => {
    const cluster = new ScriptedCluster(3);
    const proposer = cluster.proposer(
      1,
      cluster.configuration({ prepare: { nodes: ['a1'], quorum: 1 }, accept: { nodes: ['a1'], quorum: 1 } }),
    );
    const log: string[] = [];
    cluster.fates({ a1: only('accept', 'hold') });
    const inFlight = proposer.apply(KEY, set('old'));
    await cluster.time.settle();
    const changed = proposer
      .reconfigure(cluster.configuration({ era: 3 }), async () => void log.push('on disk'))
      .then(() => log.push('acknowledged'));
    const held = proposer.apply('other', set('new')).then(() => log.push('new round'));
    const read = proposer.read('third').then(() => log.push('read'));
    await cluster.time.settle();
    expect(log).toEqual([]);
    cluster.fates({});
    cluster.acceptor('a1').release();
    await cluster.time.run(Promise.all([inFlight, changed, held, read]));
    expect(log).toEqual(['on disk', 'acknowledged', 'read', 'new round']);
    const ofOther = cluster.messages('prepare').filter(({ key }) => key === 'other');
    expect(ofOther.map((sent) => sent.ballot.era)).toEqual([3, 3, 3]);
  });

  it('is on disk before it counts', async () => {
    const cluster = new ScriptedCluster(3);
    const [before, after] = [cluster.configuration(), cluster.configuration({ era: 2 })];
    const proposer = cluster.proposer(1, before);
    let written = (): void => undefined;
    const changed = proposer.reconfigure(after, () => new Promise((resolve) => (written = resolve)));
    await cluster.time.settle();
    expect(proposer.configuration).toBe(before);
    written();
    await changed;
    expect(proposer.configuration).toBe(after);
  });

  it('that could not be stored leaves the old configuration and its promises, and says why', async () => {
    const cluster = new ScriptedCluster(3);
    const proposer = cluster.proposer(1);
    await cluster.time.run(proposer.apply(KEY, set('v')));
    const before = proposer.configuration;
    const full = async (): Promise<void> => Promise.reject(new Error('no space left'));
    await expect(proposer.reconfigure(cluster.configuration({ era: 2 }), full)).rejects.toThrow('no space left');
    expect(proposer.configuration).toBe(before);
    cluster.forget();
    await cluster.time.run(proposer.apply(KEY, keepValue));
    expect(cluster.messages('prepare')).toEqual([]);
  });

  it('drops every cached promise', async () => {
    const cluster = new ScriptedCluster(3);
    const proposer = cluster.proposer(1);
    for (const key of ['k1', 'k2']) await cluster.time.run(proposer.apply(key, set('v')));
    await proposer.reconfigure(cluster.configuration({ era: 2 }), async () => undefined);
    cluster.forget();
    for (const key of ['k1', 'k2']) await cluster.time.run(proposer.apply(key, keepValue));
    expect(cluster.messages('prepare').length).toBe(6);
    expect(cluster.messages('prepare').every((sent) => sent.ballot.era === 2)).toBe(true);
  });

  it('puts every later ballot above every earlier one, whatever their counters', async () => {
    const cluster = new ScriptedCluster(3);
    const [one, two] = [cluster.proposer(1), cluster.proposer(2)];
    for (let turn = 0; turn < 5; turn += 1) await cluster.time.run(one.apply(KEY, set(`old ${turn}`)));
    await two.reconfigure(cluster.configuration({ era: 2 }), async () => undefined);
    expect(await cluster.time.run(two.apply(KEY, (value) => `${String(value)}, new`))).toBe('old 4, new');
  });
});

describe('a proposer says in words', () => {
  it('how many acceptors promised, or accepted, and how many would have to', async () => {
    const cluster = new ScriptedCluster(3);
    const proposer = cluster.proposer(1);
    await cluster.acceptor('a1').memory.prepare(KEY, ballot(1, 41));
    cluster.fates({ a3: 'break' });
    await expect(cluster.time.run(proposer.apply(KEY, keepValue))).rejects.toThrow(
      '1 of 3 acceptors promised, 2 are needed; 1 preferred a higher ballot',
    );
    cluster.fates({ a2: only('accept', 'lose'), a3: only('accept', 'lose') });
    await expect(cluster.time.run(proposer.apply(KEY, keepValue))).rejects.toThrow(
      '1 of 3 acceptors accepted, 2 are needed; 0 preferred a higher ballot',
    );
  });

  it('that another round for the key is under way', async () => {
    const cluster = new ScriptedCluster(1);
    const proposer = cluster.proposer(1);
    const first = proposer.apply(KEY, keepValue);
    await expect(proposer.apply(KEY, keepValue)).rejects.toThrow('this proposer runs another round for the key');
    await cluster.time.run(first);
  });

  it('what to do where it has no acceptors, and where the era of its configuration is over', async () => {
    const cluster = new ScriptedCluster(1);
    await expect(cluster.proposer(1, EMPTY_CONFIGURATION).apply(KEY, keepValue)).rejects.toThrow('add-accept and add-prepare give it some');
    await cluster.acceptor('a1').memory.prepare(KEY, ballot(9, 1));
    await expect(cluster.time.run(cluster.proposer(1, cluster.configuration({ era: 4 })).apply(KEY, keepValue))).rejects.toThrow(
      "era 4 of this proposer's configuration is over; write it the present one",
    );
  });
});

it('who counts is told of each phase, and of each that a promise has made needless', async () => {
  const cluster = new ScriptedCluster(3);
  const seen: string[] = [];
  const proposer = cluster.proposer(1, undefined, 1, {
    onPhase: (phase) => void seen.push(phase),
    onPromiseUsed: () => void seen.push('promiseUsed'),
  });
  const eventsOf = async (work: Promise<unknown>): Promise<string[]> => {
    await cluster.time.run(work);
    return seen.splice(0);
  };
  expect(await eventsOf(proposer.apply(KEY, set('one')))).toEqual(['prepare', 'accept']);
  expect(await eventsOf(proposer.apply(KEY, set('two')))).toEqual(['promiseUsed', 'accept']);
  expect(await eventsOf(proposer.apply(KEY, keepValue, FULL))).toEqual(['prepare', 'accept']);
  expect(await eventsOf(proposer.read(KEY))).toEqual(['read']);
});

describe('the floors of acceptors that collected what was deleted', () => {
  /** Notes what it was given. */
  const noting = (given: unknown[], makes: string | null): ChangeFunction => {
    return (value, floor) => {
      given.push([value, floor]);
      return value ?? makes;
    };
  };

  it('are told to the change function, the highest of the prepare quorum, if none of it holds a value', async () => {
    const cluster = new ScriptedCluster(3);
    const proposer = cluster.proposer(1);
    const given: unknown[] = [];
    await cluster.time.run(proposer.apply('other', noting(given, null), FULL));
    for (const [name, version] of Object.entries({ a1: 4, a2: 41, a3: 9 })) cluster.acceptor(name).disk.floor = { era: 1, version };
    cluster.fates({ a3: 'lose' });
    await cluster.time.run(proposer.apply(KEY, noting(given, 'v'), FULL));
    await cluster.time.run(proposer.apply(KEY, noting(given, 'v'), FULL));
    expect(given).toEqual([
      [null, 0],
      [null, 41],
      ['v', undefined],
    ]);
  });

  it('are told where acceptors hold a promise alone, or the empty value; not where one holds a value that the others never had', async () => {
    const cluster = new ScriptedCluster(3);
    for (const { disk } of cluster.acceptors.values()) disk.floor = { era: 1, version: 7 };
    const given: unknown[] = [];
    await cluster.acceptor('a1').memory.prepare(KEY, ballot(1, 1, 0));
    await cluster.acceptor('a2').memory.accept(KEY, ballot(1, 1, 0), null, ballot(1, 1, 0));
    cluster.fates({ a3: 'lose' });
    await cluster.time.run(cluster.proposer(1).apply(KEY, noting(given, null), FULL));
    await cluster.acceptor('a1').memory.accept('other', ballot(1, 1, 0), 'v', ballot(1, 1, 0));
    await cluster.time.run(cluster.proposer(2).apply('other', noting(given, null), FULL));
    expect(given).toEqual([
      [null, 7],
      ['v', undefined],
    ]);
  });

  it('stay with a piggybacked promise for as long as the register is empty', async () => {
    const cluster = new ScriptedCluster(3);
    for (const { disk } of cluster.acceptors.values()) disk.floor = { era: 1, version: 7 };
    const proposer = cluster.proposer(1);
    const given: unknown[] = [];
    for (const makes of [null, null, 'v', 'w']) await cluster.time.run(proposer.apply(KEY, noting(given, makes)));
    expect(cluster.messages('prepare')).toHaveLength(3);
    expect(given).toEqual([
      [null, 7],
      [null, 7],
      [null, 7],
      ['v', undefined],
    ]);
  });

  it('are part of what a pure function goes by', async () => {
    const cluster = new ScriptedCluster(1);
    const proposer = cluster.proposer(1);
    const fn: ChangeFunction = (value, floor) => value ?? `after ${String(floor)}`;
    const other = (floor: number, key: string): Promise<unknown> => {
      cluster.acceptor('a1').disk.floor = { era: 1, version: floor };
      return cluster.time.run(proposer.change(key, fn));
    };
    expect(await other(1, 'a')).toEqual({ before: null, after: 'after 1', floor: 1 });
    expect(await other(2, 'b')).toEqual({ before: null, after: 'after 2', floor: 2 });
  });

  it('show a proposer that was left behind that its configuration is stale', async () => {
    const cluster = new ScriptedCluster(3);
    for (const { disk } of cluster.acceptors.values()) disk.floor = { era: 3, version: 0 };
    await expect(cluster.time.run(cluster.proposer(1).apply(KEY, set('v')))).rejects.toThrow(StaleConfiguration);
    expect(await cluster.time.run(cluster.proposer(2, cluster.configuration({ era: 3 })).apply(KEY, set('v')))).toBe('v');
  });
});
