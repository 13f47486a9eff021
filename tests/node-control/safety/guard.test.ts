import { describe, expect, it } from 'vitest';
import {
  alwaysMeet,
  dangersOf,
  entryKey,
  identified,
  isSafe,
  missedBy,
  restingAfter,
  restingAfterRescan,
  thinnedBy,
  type Transition,
} from '../../../node-control/safety/guard.js';
import { EMPTY_CONFIGURATION, type Configuration } from '../../../src/protocol/configuration.js';
import type { QuorumSet } from '../../../src/protocol/quorum.js';

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

  it('is not where one that is before it, of old sets, could miss what one that is behind it writes: the other way round they meet', () => {
    const before = sets(of(1, 'a'), of(2, 'a', 'b'));
    const after = sets(of(2, 'a', 'b'), of(1, 'b'));
    expect(dangersOf(both(before, after))).toMatchObject([
      {
        kind: 'miss',
        message: expect.stringMatching(/^proposer-1 would prepare on 1 of a while proposer-2 accepts on 1 of b/) as string,
      },
    ]);
    expect(isSafe(both(before, after))).toBe(false);
  });

  it('is let through where it brings nothing new: who has sets already that miss each other, or what was written earlier, may be led out', () => {
    const bad = sets(of(1, 'a'), of(1, 'b'), { resting: [of(1, 'd#1')] });
    const wiped: Transition = { name: 'p1', before: bad, after: EMPTY_CONFIGURATION, changed: true };
    expect(dangersOf([wiped, { name: 'p2', before: bad, after: bad, changed: false }])).toEqual([]);
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

  it('are those of who had no list yet', () => {
    const plain = sets(of(1, 'a'), of(1, 'a'));
    expect(restingAfter([{ name: 'p1', before: plain, after: plain, changed: false }])).toEqual([of(1, 'a#1')]);
    expect(restingAfterRescan(of(1, 'a#1'), [plain])).toEqual({ kept: [], unlisted: [] });
  });

  it('are told apart by their acceptors and by their quorums, not by the order of the names', () => {
    expect(entryKey(of(1, 'a', 'b'))).toBe(entryKey(of(1, 'b', 'a')));
    expect(new Set([of(1, 'a', 'b'), of(2, 'a', 'b'), of(1, 'ab'), of(1, 'a')].map(entryKey)).size).toBe(4);
  });

  it('are of who an acceptor is now, where one and the same set was asked for before it was wiped', () => {
    const set = of(1, 'a', 'x');
    expect(identified(set, { identities: { a: 'a#1' } })).toEqual(of(1, 'a#1', 'x'));
    expect(identified(set, { identities: { a: 'a#2' } })).toEqual(of(1, 'a#2', 'x'));
    expect(identified(set, {})).toEqual(set);
  });

  it('are thinned by who goes where a value would have fewer copies than a write has now', () => {
    const thinned = (...gone: string[]): QuorumSet[] => thinnedBy(gone, sets(of(2, 'a', 'b'), of(2, 'a', 'b'), { resting }));
    const resting = [of(2, 'a#1', 'c#1'), of(2, 'a#1', 'b#1'), of(3, 'a#1', 'b#1', 'c#1'), of(1, 'd#1')];
    expect(thinned('c#1')).toEqual([of(2, 'a#1', 'c#1')]);
    expect(thinned('b#1', 'c#1')).toEqual([of(2, 'a#1', 'c#1'), of(2, 'a#1', 'b#1'), of(3, 'a#1', 'b#1', 'c#1')]);
    // That it has one copy only is no news.
    expect(thinned('nobody')).toEqual([]);
    expect(thinnedBy(['a#1'], sets(of(1, 'a'), of(1, 'a')))).toEqual([]);
  });

  it('are missed where a step was forced: those that some prepare quorum of the sets has no acceptor of', () => {
    const resting = [of(1, 'a#1'), of(2, 'a#1', 'b#1'), of(1, 'd#1')];
    expect(missedBy(sets(of(1, 'a', 'b'), of(2, 'a', 'b'), { resting }))).toEqual([of(1, 'a#1'), of(1, 'd#1')]);
    expect(missedBy(sets(of(1, 'a'), of(1, 'a')))).toEqual([]);
    // Who has no sets misses nothing, since it asks nobody.
    expect(missedBy(sets(of(1, 'a', 'b'), EMPTY_CONFIGURATION.accept, { resting }))).toEqual([]);
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
