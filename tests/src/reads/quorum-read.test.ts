import { type ChangeFunction } from '../../../src/protocol/change.js';
import { describe, expect, it } from 'vitest';
import type { Acceptor } from '../../../src/protocol/acceptor.js';
import { type Ballot } from '../../../src/protocol/ballot.js';
import { hedge } from '../../../src/hedging/hedge.js';
import { Registers } from '../../registers.js';
import { only, ScriptedCluster, TIMEOUT_MS } from '../../scripted-cluster.js';
import type { Accepted } from '../../../src/protocol/acceptor.js';
import { ZERO_BALLOT } from '../../../src/protocol/ballot.js';
import type { Configuration } from '../../../src/protocol/configuration.js';
import { provenBy } from '../../../src/reads/quorum-read.js';

const set =
  (value: string): ChangeFunction =>
  () =>
    value;
const ballot = (era: number, counter: number, proposer = 9): Ballot => ({ era, counter, proposer, incarnation: 1 });
const KEY = 'k';

describe('rule 7: a read without a round', () => {
  it.each([1, 2, 3, 4])('returns what %i acceptors agree on, and changes nothing on them', async (size) => {
    const cluster = new ScriptedCluster(size);
    await cluster.time.run(cluster.proposer(1).apply(KEY, set('v')));
    const before = cluster.snapshot();
    cluster.forget();
    expect(await cluster.time.run(cluster.proposer(2).read(KEY))).toEqual({ value: 'v' });
    expect(cluster.snapshot()).toEqual(before);
    expect(cluster.messages('prepare').length + cluster.messages('accept').length).toBe(0);
  });

  it('takes a promise alone for an empty register', async () => {
    const cluster = new ScriptedCluster(3);
    for (const { memory } of cluster.acceptors.values()) await memory.prepare(KEY, ballot(1, 5));
    expect(await cluster.time.run(cluster.proposer(1).read(KEY))).toEqual({ value: null });
  });

  it('has no answer where an accept is under way, and none where too few acceptors answer', async () => {
    const cluster = new ScriptedCluster(3);
    const proposer = cluster.proposer(1);
    await cluster.acceptor('a1').memory.accept(KEY, ballot(1, 5), 'half', ballot(1, 6));
    cluster.fates({ a3: 'refuse' });
    expect(await cluster.time.run(proposer.read(KEY))).toBeUndefined();
    cluster.fates({ a1: 'lose', a2: 'lose' });
    const startMs = cluster.time.nowMs();
    expect(await cluster.time.run(proposer.read(KEY))).toBeUndefined();
    expect(cluster.time.nowMs() - startMs).toBe(TIMEOUT_MS);
  });

  it('waits for no straggler once the proof is there', async () => {
    const cluster = new ScriptedCluster(3);
    await cluster.time.run(cluster.proposer(1).apply(KEY, set('v')));
    cluster.fates({ a2: 'lose' });
    const startMs = cluster.time.nowMs();
    expect(await cluster.time.run(cluster.proposer(2).read(KEY))).toEqual({ value: 'v' });
    expect(cluster.time.nowMs()).toBe(startMs);
  });

  it('asks the acceptors of both sets', async () => {
    const cluster = new ScriptedCluster(3);
    const growing = cluster.configuration({ prepare: { nodes: ['a1'], quorum: 1 }, accept: { nodes: ['a1', 'a2'], quorum: 2 } });
    await cluster.time.run(cluster.proposer(1, growing).apply(KEY, set('v')));
    expect(await cluster.time.run(cluster.proposer(2, growing).read(KEY))).toEqual({ value: 'v' });
    expect(cluster.messages('read').length).toBe(2);
  });

  it('makes the next ballot higher than what others were promised: the prepare after it is not refused', async () => {
    const cluster = new ScriptedCluster(3);
    const proposer = cluster.proposer(1);
    for (const { memory } of cluster.acceptors.values()) await memory.prepare(KEY, ballot(1, 41));
    await cluster.time.run(proposer.read(KEY));
    expect(await cluster.time.run(proposer.apply(KEY, set('v')))).toBe('v');
    expect(cluster.messages('prepare').map(({ ballot: { counter } }) => counter)).toEqual([42, 42, 42]);
  });

  it('shows that a piggybacked promise is overtaken: the next change prepares, and no accept is refused', async () => {
    const cluster = new ScriptedCluster(3);
    const [one, two] = [cluster.proposer(1), cluster.proposer(2)];
    await cluster.time.run(one.apply(KEY, set('mine')));
    await cluster.time.run(two.read(KEY));
    await cluster.time.run(two.apply(KEY, (value) => `${String(value)} theirs`));
    await cluster.time.run(one.read(KEY));
    expect(await cluster.time.run(one.apply(KEY, (value) => `${String(value)} again`))).toBe('mine theirs again');
  });

  it('leaves a piggybacked promise that nobody has overtaken', async () => {
    const cluster = new ScriptedCluster(3);
    const proposer = cluster.proposer(1);
    await cluster.time.run(proposer.apply(KEY, set('one')));
    await cluster.time.run(proposer.read(KEY));
    cluster.forget();
    await cluster.time.run(proposer.apply(KEY, set('two')));
    expect(cluster.messages('prepare')).toEqual([]);
  });

  it('is not had from ballots of an era before the configuration', async () => {
    const cluster = new ScriptedCluster(3);
    await cluster.time.run(cluster.proposer(1).apply(KEY, set('v')));
    expect(await cluster.time.run(cluster.proposer(2, cluster.configuration({ era: 2 })).read(KEY))).toBeUndefined();
  });

  it('needs no turn: it runs beside a change of the same key', async () => {
    const cluster = new ScriptedCluster(3);
    const proposer = cluster.proposer(1);
    cluster.fates({ a1: only('prepare', 'hold'), a2: only('prepare', 'hold') });
    const change = proposer.apply(KEY, set('v'));
    await cluster.time.settle();
    expect(await proposer.read(KEY)).toEqual({ value: null });
    for (const name of ['a1', 'a2']) cluster.acceptor(name).release();
    expect(await cluster.time.run(change)).toBe('v');
  });
});

describe('a read that asks no more acceptors than it needs', () => {
  const LATE_MS = 5;
  /** How long it is the turn of the same acceptors. */
  const TURN_MS = 5;
  const patient = (cluster: ScriptedCluster, configuration = cluster.configuration()): Registers =>
    new Registers({
      ...{ id: 1, incarnation: 1, configuration, time: cluster.time, timeoutMs: TIMEOUT_MS },
      asking: hedge({ time: cluster.time, lateMs: LATE_MS }),
      acceptor: (name: string): Acceptor => cluster.acceptor(name).link,
    });
  const written = async (): Promise<{ cluster: ScriptedCluster; proposer: Registers }> => {
    const cluster = new ScriptedCluster(3);
    const proposer = patient(cluster);
    await cluster.time.run(proposer.apply(KEY, set('v')));
    await cluster.time.settle();
    cluster.forget();
    return { cluster, proposer };
  };

  it('asks two of three where these agree, each in its turn', async () => {
    const { cluster, proposer } = await written();
    for (let turns = 0; turns < 6; turns += 1) {
      const beginsMs = cluster.time.nowMs();
      expect(await cluster.time.run(proposer.read(KEY))).toEqual({ value: 'v' });
      expect(cluster.time.nowMs()).toBe(beginsMs);
      await cluster.time.advance(TURN_MS);
    }
    expect([...cluster.acceptors.values()].map(({ log }) => log.length)).toEqual([4, 4, 4]);
  });

  it('asks the third where two differ, and needs no round', async () => {
    const { cluster, proposer } = await written();
    await cluster.acceptor('a2').memory.accept(KEY, ballot(1, 90), 'half', ballot(1, 91));
    for (let turns = 0; turns < 3; turns += 1) {
      expect(await cluster.time.run(proposer.read(KEY))).toEqual({ value: 'v' });
      await cluster.time.advance(TURN_MS);
    }
    expect(cluster.messages('read').length).toBeGreaterThan(6);
  });

  it('waits for a silent acceptor once, and then does without it until it answers again', async () => {
    const { cluster, proposer } = await written();
    cluster.fates({ a1: 'lose' });
    for (let reads = 0; reads < 9; reads += 1) expect(await cluster.time.run(proposer.read(KEY))).toEqual({ value: 'v' });
    expect(cluster.time.nowMs()).toBe(LATE_MS);
    cluster.fates({});
    await cluster.time.advance(2_000);
    cluster.forget();
    for (let reads = 0; reads < 6; reads += 1) await cluster.time.run(proposer.read(KEY));
    expect(cluster.acceptor('a1').log.length).toBeGreaterThan(2);
  });

  it('does not wait for one that refuses connections', async () => {
    const { cluster, proposer } = await written();
    cluster.fates({ a1: 'refuse' });
    for (let reads = 0; reads < 9; reads += 1) expect(await cluster.time.run(proposer.read(KEY))).toEqual({ value: 'v' });
    expect(cluster.time.nowMs()).toBe(0);
    expect(cluster.acceptor('a1').log.length).toBe(1);
  });

  it('waits for none that is late where two have answered and differ', async () => {
    const { cluster, proposer } = await written();
    await cluster.acceptor('a2').memory.accept(KEY, ballot(1, 90), 'half', ballot(1, 91));
    cluster.fates({ a1: 'lose' });
    expect(await cluster.time.run(proposer.read(KEY))).toBeUndefined();
    expect(cluster.time.nowMs()).toBe(LATE_MS);
  });

  it('waits for one that is late where those that have answered are no more than the late ones', async () => {
    const cluster = new ScriptedCluster(2);
    const proposer = patient(cluster);
    await cluster.time.run(proposer.apply(KEY, set('v')));
    cluster.fates({ a1: only('read', 'hold') });
    const read = proposer.read(KEY);
    await cluster.time.advance(2 * LATE_MS);
    cluster.acceptor('a1').release();
    expect(await cluster.time.run(read)).toEqual({ value: 'v' });
  });

  it('goes by the sets of a new configuration', async () => {
    const { cluster, proposer } = await written();
    const one = { nodes: ['a3'], quorum: 1 };
    await proposer.reconfigure(cluster.configuration({ prepare: one, accept: one }), async () => undefined);
    await cluster.time.run(proposer.read(KEY));
    expect([...cluster.acceptors.values()].map(({ log }) => log.length)).toEqual([0, 0, 1]);
  });
});

describe('the proof that an accepted value is the present one', () => {
  const nodes = ['a1', 'a2', 'a3'];
  const majority: Configuration = { era: 2, prepare: { nodes, quorum: 2 }, accept: { nodes, quorum: 2 } };
  const nothing: Accepted = { ballot: ZERO_BALLOT, value: null };
  const at = (era: number, counter: number): Accepted => ({
    ballot: { era, counter, proposer: 1, incarnation: 1 },
    value: `${era}.${counter}`,
  });
  const prove = (configuration: Configuration, ...replies: Accepted[]): Accepted | undefined =>
    provenBy(new Map(replies.map((reply, index) => [`a${index + 1}`, reply])), configuration);

  it('is the same ballot on a quorum of both sets', () => {
    expect(prove(majority, at(2, 5), at(2, 5))).toEqual(at(2, 5));
    expect(prove(majority, at(2, 4), at(2, 5), at(2, 5))).toEqual(at(2, 5));
  });

  it('is not had from different ballots, though the values be equal', () => {
    expect(prove(majority, at(2, 4), at(2, 5))).toBeUndefined();
    expect(prove(majority, { ...at(2, 4), value: 'same' }, { ...at(2, 5), value: 'same' }, nothing)).toBeUndefined();
  });

  it('is not had from an accept quorum that holds no prepare quorum, nor from a prepare quorum that holds no accept quorum', () => {
    const prepareAll = { ...majority, prepare: { nodes, quorum: 3 }, accept: { nodes, quorum: 1 } };
    expect(prove(prepareAll, at(2, 5))).toBeUndefined();
    expect(prove(prepareAll, at(2, 5), at(2, 5))).toBeUndefined();
    expect(prove(prepareAll, at(2, 5), at(2, 5), at(2, 5))).toEqual(at(2, 5));
    const acceptAll = { ...majority, prepare: { nodes, quorum: 1 }, accept: { nodes, quorum: 3 } };
    expect(prove(acceptAll, at(2, 5), at(2, 5))).toBeUndefined();
    expect(prove(acceptAll, at(2, 5), at(2, 5), at(2, 5))).toEqual(at(2, 5));
  });

  it('does not count acceptors outside a set', () => {
    const growing = { ...majority, prepare: { nodes: ['a1'], quorum: 1 }, accept: { nodes: ['a1', 'a2'], quorum: 2 } };
    expect(prove(growing, at(2, 5), at(2, 4), at(2, 4))).toBeUndefined();
    expect(prove(growing, at(2, 4), at(2, 5), at(2, 5))).toBeUndefined();
    expect(prove(growing, at(2, 5), at(2, 5))).toEqual(at(2, 5));
  });

  it('is not had from a ballot of an earlier era, but from one of a later', () => {
    expect(prove(majority, at(1, 5), at(1, 5), at(1, 5))).toBeUndefined();
    expect(prove(majority, at(3, 5), at(3, 5))).toEqual(at(3, 5));
  });

  it('is not had where an acceptor has seen an era that these sets do not reach', () => {
    expect(prove(majority, at(4, 5), at(4, 5))).toBeUndefined();
    expect(prove(majority, at(4, 5), nothing, nothing)).toBeUndefined();
  });

  it('for an empty register is a prepare quorum alone, in any era', () => {
    expect(prove(majority, nothing)).toBeUndefined();
    expect(prove(majority, nothing, nothing)).toEqual(nothing);
    expect(prove(majority, at(2, 5), nothing)).toBeUndefined();
    const acceptAll = { ...majority, prepare: { nodes, quorum: 1 }, accept: { nodes, quorum: 3 } };
    expect(prove(acceptAll, nothing)).toEqual(nothing);
  });
});
