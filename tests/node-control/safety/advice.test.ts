import { describe, expect, it } from 'vitest';
import { adviceFor } from '../../../node-control/safety/advice.js';
import { dangersOf, type Transition } from '../../../node-control/safety/guard.js';
import { typed } from '../../../node-control/safety/typed-step.js';
import type { Configuration } from '../../../src/protocol/configuration.js';
import type { QuorumSet } from '../../../src/protocol/quorum.js';

const IDENTITIES = { a: 'a#1', b: 'b#1', c: 'c#1' };
const of = (quorum: number, ...nodes: readonly string[]): QuorumSet => ({ nodes, quorum });
const sets = (prepare: QuorumSet, accept: QuorumSet, ...resting: QuorumSet[]): Configuration => ({
  era: 1,
  prepare,
  accept,
  identities: IDENTITIES,
  resting,
});
const ALONE = sets(of(1, 'a'), of(1, 'a'), of(1, 'a#1'));
const ONE_IN_TWO = sets(of(1, 'a'), of(2, 'a', 'b'), of(1, 'a#1'), of(2, 'a#1', 'b#1'));

/** What is advised against a step of all proposers, which the guard has to refuse. */
function advised(before: Configuration, change: Partial<Configuration>): string {
  return said(['p1', 'p2'].map((name) => ({ name, before, after: { ...before, ...change }, changed: true })));
}

function said(transitions: readonly Transition[]): string {
  expect(dangersOf(transitions)).not.toEqual([]);
  const { advice, steps = [] } = adviceFor(transitions);
  return [advice, ...steps.map(typed)].join('; ');
}

describe('against a step that is not safe', () => {
  it('the steps are named that are to come first', () => {
    expect(advised(ONE_IN_TWO, { accept: of(2, 'a', 'b', 'c') })).toBe('First; rescan a 1; add-prepare all b 2');
    expect(advised(ONE_IN_TWO, { prepare: of(1, 'a', 'b') })).toBe('First; rescan a 1');
  });

  it('larger quorums are advised where no step before it helps', () => {
    expect(advised(ALONE, { accept: of(1, 'a', 'b') })).toBe('With these quorums no order of steps is safe: choose larger ones');
  });

  it('all proposers are advised, or a copy, where the step is of one, or they differ', () => {
    const advice = 'Change all proposers in one step (all), or give one the sets of another (copy)';
    const after = { ...ALONE, accept: of(1, 'b') };
    const first: Transition = { name: 'p1', before: ALONE, after, changed: true };
    expect(said([first, { name: 'p2', before: ALONE, after: ALONE, changed: false }])).toBe(advice);
    expect(said([first, { name: 'p2', before: ONE_IN_TWO, after, changed: true }])).toBe(advice);
  });

  it('larger sets are advised where nobody serves who could run a rescan', () => {
    const stopped = sets(of(0), of(1, 'a'), of(1, 'lost#1'));
    expect(advised(stopped, { prepare: of(1, 'a') })).toBe(
      'No proposer can run a rescan now: build sets of which every prepare quorum meets that one',
    );
  });

  it('of no proposer there is nothing but the README', () => {
    expect(adviceFor([])).toEqual({ advice: 'Look at the order of the steps in the README' });
  });
});
