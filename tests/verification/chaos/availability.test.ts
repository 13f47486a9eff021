import { describe, expect, it } from 'vitest';
import { demandsWrites, type FaultSpan, SETTLE_MS, type PossibleSets, type SetsSpan } from '../../../verification/chaos/availability.js';

const nodes = (count: number): string[] => [1, 2, 3].slice(0, count).map((number) => `acceptor-${number}:6379`);
const same = (count: number, quorum: number): PossibleSets => ({
  prepare: { nodes: nodes(count), quorum },
  accept: { nodes: nodes(count), quorum },
});
const always = (sets: PossibleSets): SetsSpan[] => [{ sets, fromMs: 0 }];
const twoOfThree = always(same(3, 2));
const down = (target: string, fromMs = 0, untilMs?: number): FaultSpan => ({
  kind: 'kill',
  target,
  fromMs,
  ...(untilMs === undefined ? {} : { untilMs }),
});
const demanded = (faults: FaultSpan[], sets = twoOfThree): boolean => demandsWrites(10_000, 11_000, faults, sets);

describe('a second must show a write', () => {
  it('where all is well, once the run had the time to settle', () => {
    expect(demanded([])).toBe(true);
    expect(demandsWrites(SETTLE_MS, SETTLE_MS + 1_000, [], twoOfThree)).toBe(true);
    expect(demandsWrites(SETTLE_MS - 1, SETTLE_MS + 999, [], twoOfThree)).toBe(false);
  });

  it('with a quorum of the acceptors, and only with one', () => {
    expect(demanded([down('acceptor-1')])).toBe(true);
    expect(demanded([down('acceptor-1'), down('acceptor-3')])).toBe(false);
    expect(demanded([down('acceptor-1')], always(same(1, 1)))).toBe(false);
    expect(demanded([down('acceptor-2'), down('acceptor-3')], always(same(1, 1)))).toBe(true);
    expect(demanded([down('acceptor-2')], always(same(2, 2)))).toBe(false);
  });

  it('with a quorum of each phase', () => {
    const sets = (prepare: PossibleSets, accept: PossibleSets): SetsSpan[] => always({ prepare: prepare.prepare, accept: accept.accept });
    expect(demanded([down('acceptor-2')], sets(same(1, 1), same(2, 2)))).toBe(false);
    expect(demanded([down('acceptor-2')], sets(same(2, 2), same(1, 1)))).toBe(false);
  });

  it('with one proposer', () => {
    expect(demanded([down('proposer-1')])).toBe(true);
    expect(demanded([down('proposer-2')])).toBe(true);
    expect(demanded([down('proposer-1'), down('proposer-2')])).toBe(false);
  });

  it('not where each proposer was well for a part of the time only', () => {
    expect(demanded([down('proposer-1', 9_000, 9_500), down('proposer-2', 10_200, 10_300)])).toBe(false);
  });

  it('not while a fault is too near', () => {
    const faults = (untilMs: number): FaultSpan[] => [down('acceptor-1'), down('acceptor-2', 1_000, untilMs)];
    expect(demanded(faults(10_000 - SETTLE_MS))).toBe(true);
    expect(demanded(faults(10_000 - SETTLE_MS + 1))).toBe(false);
    expect(demanded([down('acceptor-1'), down('acceptor-2', 10_999)])).toBe(false);
    expect(demanded([down('acceptor-1'), down('acceptor-2', 11_000)])).toBe(true);
  });

  it('where one proposer has its links to a quorum, whatever those of the other are', () => {
    const cut = [down('proposer-1~acceptor-1'), down('proposer-1~acceptor-2')];
    expect(demanded(cut)).toBe(true);
    expect(demanded([...cut, down('proposer-2')])).toBe(false);
    expect(demanded([down('proposer-1~acceptor-1'), down('proposer-2~acceptor-2')])).toBe(true);
    expect(demanded([...cut, down('proposer-2~acceptor-1'), down('proposer-2~acceptor-3')])).toBe(false);
  });

  it('with quorums of the sets before and after a step that is under way', () => {
    const step = (untilMs?: number): SetsSpan[] => [
      { sets: same(1, 1), fromMs: 0, ...(untilMs === undefined ? {} : { untilMs }) },
      { sets: same(2, 2), fromMs: 5_000 },
    ];
    expect(demanded([], step())).toBe(true);
    expect(demanded([down('acceptor-2')], step())).toBe(false);
    expect(demanded([down('acceptor-1')], [...step(6_000), { sets: same(3, 2), fromMs: 5_000 }])).toBe(false);
    expect(
      demanded(
        [down('acceptor-1')],
        [
          { sets: same(1, 1), fromMs: 0, untilMs: 6_000 },
          { sets: same(3, 2), fromMs: 5_000 },
        ],
      ),
    ).toBe(true);
  });
});
