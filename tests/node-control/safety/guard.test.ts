import { describe, expect, it } from 'vitest';
import {
  alwaysMeet,
  dangersOf,
  identified,
  type Transition,
  restingAfter,
  restingAfterRescan,
} from '../../../node-control/safety/guard.js';
import { EMPTY_CONFIGURATION, type Configuration } from '../../../src/protocol/configuration.js';
import type { QuorumSet } from '../../../src/protocol/quorum.js';
import { acceptorName, Cluster } from '../../cluster.js';

const NODES = ['a', 'b', 'c', 'd'];
const IDENTITIES = { a: 'a#1', b: 'b#1', c: 'c#1', d: 'd#1' };

const of = (quorum: number, ...nodes: readonly string[]): QuorumSet => ({ nodes, quorum });

function sets(prepare: QuorumSet, accept: QuorumSet, extra: Partial<Configuration> = {}): Configuration {
  return { era: 1, prepare, accept, identities: IDENTITIES, ...extra };
}

/** The same step on two proposers. */
function both(before: Configuration, after: Configuration): Transition[] {
  return ['proposer-1', 'proposer-2'].map((name) => ({ name, before, after, changed: true }));
}

function subsets(nodes: readonly string[], size: number): string[][] {
  if (size === 0) return [[]];
  return nodes.flatMap((node, index) => subsets(nodes.slice(index + 1), size - 1).map((rest) => [node, ...rest]));
}

describe('two sets', () => {
  it('always meet exactly where no quorum of one misses a quorum of the other: all pairs of sets of up to four acceptors', () => {
    const all = [1, 2, 3, 4].flatMap((size) =>
      subsets(NODES, size).flatMap((nodes) => Array.from({ length: size }, (_, index) => ({ nodes, quorum: index + 1 }))),
    );
    let disjoint = 0;
    for (const a of all) {
      for (const b of all) {
        const meets = subsets(a.nodes, a.quorum).every((some) =>
          subsets(b.nodes, b.quorum).every((others) => others.some((node) => some.includes(node))),
        );
        if (!meets) disjoint += 1;
        expect(alwaysMeet(a, b), JSON.stringify([a, b])).toBe(meets);
      }
    }
    expect(disjoint).toBeGreaterThan(100);
  });
});

describe('a step', () => {
  it('is safe where all prepare quorums meet all accept quorums, of before and after', () => {
    expect(dangersOf(both(sets(of(1, 'a'), of(1, 'a')), sets(of(1, 'a'), of(2, 'a', 'b'))))).toEqual([]);
  });

  it('is not where one proposer that is behind it could miss one that is before it', () => {
    const before = sets(of(2, 'a', 'b', 'c'), of(2, 'a', 'b', 'c'));
    const after = sets(of(1, 'a'), of(3, 'a', 'b', 'c'));
    expect(dangersOf([{ name: 'p1', before, after, changed: true }])).toMatchObject([
      {
        kind: 'miss',
        message: expect.stringMatching(/^p1 would prepare on 1 of a while p1 accepts on 2 of a b c: .*miss each other/) as string,
      },
    ]);
  });

  it('names two proposers where two are in each other’s way', () => {
    const [plan] = dangersOf(both(sets(of(1, 'a'), of(1, 'a')), sets(of(1, 'a'), of(2, 'a', 'b', 'c'))));
    expect(plan?.message).toMatch(/^proposer-1 would prepare on 1 of a while proposer-2 accepts on 2 of a b c/);
  });

  it('of a proposer that runs no round before or after it endangers nobody', () => {
    const before = sets(EMPTY_CONFIGURATION.prepare, of(1, 'd'));
    const running = sets(of(2, 'a', 'b'), of(2, 'a', 'b'));
    const after = sets(EMPTY_CONFIGURATION.prepare, of(1, 'c'));
    expect(
      dangersOf([
        { name: 'p1', before, after, changed: true },
        { name: 'p2', before: running, after: running, changed: false },
      ]),
    ).toEqual([]);
  });

  it('is not safe where a value may rest on an accept quorum of an earlier step that the new prepare quorums could miss', () => {
    const before = sets(of(2, 'a', 'b'), of(2, 'a', 'b', 'c'), { resting: [of(1, 'a#1')] });
    const after = sets(of(2, 'a', 'b', 'c'), of(2, 'a', 'b', 'c'));
    expect(dangersOf(both(before, after))).toMatchObject([
      {
        kind: 'owed',
        message: expect.stringMatching(/^proposer-1 would prepare on 2 of a b c, .*rest on 1 of a#1 .*a rescan must come first$/) as string,
      },
    ]);
  });

  it('takes the same address after a wipe for another acceptor', () => {
    const resting = [of(2, 'a#1', 'b#1')];
    const before = sets(of(1, 'a'), of(1, 'a'), { resting });
    const after = (b: string): Configuration => sets(of(2, 'a', 'b', 'c'), of(1, 'a'), { identities: { ...IDENTITIES, b } });
    const kinds = (b: string): string[] => dangersOf([{ name: 'p1', before, after: after(b), changed: true }]).map(({ kind }) => kind);
    expect(kinds('b#1')).toEqual(['miss']);
    expect(kinds('b#2')).toEqual(['miss', 'owed']);
  });
});

describe('the accept sets that a value may rest on', () => {
  it('are those of before and all that the step brings, of every proposer, each once', () => {
    const p1 = sets(of(1, 'a'), of(1, 'a'), { resting: [of(1, 'd#1')] });
    const p2 = sets(of(1, 'a'), of(1, 'a'), { resting: [of(1, 'd#1'), of(1, 'a#1')] });
    const after = sets(of(1, 'a'), of(2, 'b', 'a'));
    expect(
      restingAfter([
        { name: 'p1', before: p1, after, changed: true },
        { name: 'p2', before: p2, after: p2, changed: false },
      ]),
    ).toEqual([of(1, 'd#1'), of(1, 'a#1'), of(2, 'b#1', 'a#1')]);
  });

  it('are not those of a proposer that can run no round, but stay known to one that lost its sets', () => {
    const before = sets(EMPTY_CONFIGURATION.prepare, of(1, 'b'), { resting: [of(1, 'a#1')] });
    const after = { ...before, accept: EMPTY_CONFIGURATION.accept };
    expect(restingAfter([{ name: 'p1', before, after, changed: true }])).toEqual([of(1, 'a#1')]);
  });

  it('are cleared by a rescan but for those in use, and those of which the listing could have missed a quorum', () => {
    const resting = [of(1, 'a#1'), of(2, 'a#1', 'b#1'), of(1, 'd#1')];
    const present = [sets(of(1, 'a'), of(2, 'a', 'b'), { resting })];
    const listed = identified(of(2, 'a', 'b'), { identities: IDENTITIES });
    expect(restingAfterRescan(listed, present)).toEqual({ kept: [of(2, 'a#1', 'b#1'), of(1, 'd#1')], unlisted: [of(1, 'd#1')] });
  });

  it('are not cleared while any proposer uses them', () => {
    const resting = [of(1, 'a#1'), of(2, 'a#1', 'b#1')];
    const present = [sets(of(1, 'a'), of(2, 'a', 'b'), { resting }), sets(of(1, 'a'), of(1, 'a'), { resting })];
    expect(restingAfterRescan(of(2, 'a#1', 'b#1'), present)).toEqual({ kept: resting, unlisted: [] });
  });

  it('are not cleared by an incomplete listing', () => {
    const resting = [of(2, 'a#1', 'b#1', 'c#1')];
    const present = [sets(of(2, 'a', 'b'), of(2, 'a', 'b'), { resting })];
    expect(restingAfterRescan(of(1, 'a#1', 'b#1'), present).unlisted).toEqual(resting);
    expect(restingAfterRescan(of(2, 'a#1', 'b#1'), present)).toEqual({ kept: [], unlisted: [] });
  });
});

describe('a proposer that lost its configuration', () => {
  it('is not led back acceptor by acceptor, which would lose a write that rests on the others, but by copy', async () => {
    const cluster = await Cluster.forThisTest({ acceptors: 3 });
    const value = async (): Promise<unknown> => (await cluster.proposer(2).kv.get('x')).body;
    await cluster.proposer(1).kv.put('x', 0, 'one');
    cluster.acceptor(1).pause();
    expect((await cluster.proposer(2).kv.put('x', 1, 'two')).status).toBe(200);
    expect((await cluster.control('wipe', 'proposer-1')).code).toBe(0);
    cluster.acceptor(1).resume();
    for (const number of [1, 2, 3]) expect((await cluster.control('add-accept', 'proposer-1', acceptorName(number), '1')).code).toBe(0);

    const { code, stderr } = await cluster.control('add-prepare', 'proposer-1', acceptorName(1), '1');
    expect(code).toBe(1);
    expect(stderr).toMatch(/proposer-1 would prepare on 1 of .* while proposer-\d accepts on .*could miss each other/);
    expect(await value()).toMatchObject({ ver: 2, val: 'two' });

    expect((await cluster.control('copy', 'proposer-2', 'proposer-1')).stdout).toMatch(/^proposer-1: now with the sets of proposer-2/);
    expect((await cluster.control('copy', 'proposer-2', 'proposer-1')).stdout).toMatch(/^proposer-1: already with the sets of proposer-2/);
    expect(await cluster.proposer(1).admin.configuration()).toEqual(await cluster.proposer(2).admin.configuration());
    expect((await cluster.proposer(1).kv.get('x')).body).toMatchObject({ ver: 2, val: 'two' });
    expect((await cluster.control('copy', 'all', 'proposer-1')).code).toBe(1);
  });

  it('of all proposers, may be configured anew from what their acceptor holds, and finds it', async () => {
    const cluster = await Cluster.forThisTest({ acceptors: 1 });
    await cluster.proposer(1).kv.put('x', 0, 'kept');
    expect((await cluster.control('wipe', 'all')).code).toBe(0);
    expect((await cluster.control('add-accept', 'all', acceptorName(1), '1')).code).toBe(0);
    expect((await cluster.control('add-prepare', 'all', acceptorName(1), '1')).code).toBe(0);
    expect((await cluster.proposer(2).kv.get('x')).body).toMatchObject({ ver: 1, val: 'kept' });
  });
});
