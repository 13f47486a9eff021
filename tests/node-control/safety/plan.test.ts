import { describe, expect, it } from 'vitest';
import { dangersOf, entryKey, identified, restingAfter, restingAfterRescan } from '../../../node-control/safety/guard.js';
import { majority, planSteps, rescanOfEntry, type Sets, type Start } from '../../../node-control/safety/plan.js';
import { parse, typed } from '../../../node-control/safety/typed-step.js';
import { EMPTY_CONFIGURATION, isConfigured } from '../../../src/protocol/configuration.js';
import type { QuorumSet } from '../../../src/protocol/quorum.js';

const NAMES = 'ABCDEFGH'.split('');
const IDENTITIES = Object.fromEntries(NAMES.map((name) => [name, `${name}#1`]));

const of = (quorum: number, ...nodes: readonly string[]): QuorumSet => ({ nodes, quorum });
const majorityOf = (...nodes: readonly string[]): Sets => {
  const set = of(majority(nodes.length), ...nodes);
  return { prepare: set, accept: set };
};
const NOTHING: Start = { prepare: of(0), accept: of(0), resting: [] };

function commands(from: Start, to: Sets): string[] | undefined {
  return planSteps(from, to, IDENTITIES)?.map(({ step }) => typed(step));
}

/** Where the cluster is after it was led there from nothing. */
function at(...nodes: readonly string[]): Start {
  return planSteps(NOTHING, majorityOf(...nodes), IDENTITIES)?.at(-1)?.after ?? NOTHING;
}

/** The commands once more, each judged for two proposers by the guard, one after the other as they are typed. */
function replay(from: Start, typed: readonly string[]): Start {
  let state = from;
  for (const command of typed) {
    const step = parse(command);
    const before = { era: 0, ...state, identities: IDENTITIES };
    if (step.verb === 'rescan') {
      expect(isConfigured(before), `${command} needs proposers that serve`).toBe(true);
      const listed = identified(of(step.required, ...step.acceptors), before);
      state = { ...state, resting: restingAfterRescan(listed, [before, before]).kept };
      continue;
    }
    if (step.verb !== 'add' && step.verb !== 'rm') throw new Error(`${command} is not to be in a plan`);
    const { verb, phase, acceptor, quorum } = step;
    const { nodes } = state[phase];
    const rest = nodes.filter((node) => node !== acceptor);
    const set = of(quorum, ...(verb === 'rm' ? rest : nodes.includes(acceptor) ? nodes : [...nodes, acceptor]));
    const after = { ...before, [phase]: set };
    const transitions = ['proposer-1', 'proposer-2'].map((name) => ({ name, before, after, changed: true }));
    expect(dangersOf(transitions), command).toEqual([]);
    expect(isConfigured(after) || !isConfigured(before), `${command} stops the service`).toBe(true);
    state = { ...state, [phase]: set, resting: restingAfter(transitions) };
  }
  return state;
}

describe('a plan', () => {
  it('from one acceptor to three is the way of the README', () => {
    expect(commands(at('A'), majorityOf('A', 'B', 'C'))).toEqual([
      'add-accept all B 2',
      'rescan A 1',
      'add-prepare all B 2',
      'add-accept all C 2',
      'add-prepare all C 2',
    ]);
  });

  it('from even to odd needs no rescan', () => {
    const two = { ...majorityOf('A', 'B'), resting: [of(2, 'A#1', 'B#1')] };
    expect(commands(two, majorityOf('A', 'B', 'C'))).toEqual(['add-accept all C 2', 'add-prepare all C 2']);
  });

  it('goes on from the middle of another one', () => {
    const middle = { prepare: of(2, 'A', 'B'), accept: of(2, 'A', 'B', 'C'), resting: [of(1, 'A#1'), of(2, 'A#1', 'B#1')] };
    expect(commands(middle, majorityOf('A', 'B', 'C'))).toEqual(['rescan A,B 2', 'add-prepare all C 2']);
    expect(commands(middle, majorityOf('A'))).toEqual(['rm-accept all C 2', 'rescan A,B 2', 'rm-accept all B 1', 'rm-prepare all B 1']);
  });

  it('first finishes what was begun, where values may rest there, and then leaves it', () => {
    const begun = { prepare: of(0), accept: of(2, 'A', 'D'), resting: [of(2, 'A#1', 'D#1')] };
    const way = commands(begun, majorityOf('B', 'C')) ?? [];
    expect(way.length).toBeGreaterThan(4);
    expect(replay(begun, way)).toMatchObject(majorityOf('B', 'C'));
  });

  it('is empty where nothing is to be done', () => {
    expect(commands(at('A', 'B'), majorityOf('B', 'A'))).toEqual([]);
  });

  it('replaces an acceptor with one more in between, not with one less', () => {
    expect(commands(at('A', 'B', 'C'), majorityOf('A', 'B', 'D'))?.[0]).toBe('add-accept all D 3');
    expect(commands(at('A'), majorityOf('B'))?.[0]).toBe('add-accept all B 2');
  });

  it('leads from other quorums to majorities', () => {
    const all: Start = { prepare: of(1, 'A', 'B', 'C'), accept: of(3, 'A', 'B', 'C'), resting: [of(3, 'A#1', 'B#1', 'C#1')] };
    expect(commands(all, majorityOf('A', 'B', 'C'))).toEqual(['add-prepare all C 2', 'add-accept all C 2']);
  });

  it('from nothing asks for what may rest on the acceptors of before', () => {
    const wiped = { ...NOTHING, resting: [of(2, 'A#1', 'B#1', 'C#1')] };
    const way = commands(wiped, majorityOf('A', 'B', 'C')) ?? [];
    expect(way.slice(0, 2)).toEqual(['add-prepare all A 1', 'add-prepare all B 2']);
    replay(wiped, way);
  });

  it('goes by other quorums where it does not go by majorities, also to sets that are none', () => {
    const begun = { prepare: of(0), accept: of(1, 'A', 'B', 'C'), resting: [] };
    const way = ['add-accept all C 3', 'add-prepare all A 1', 'add-prepare all B 1', 'add-prepare all C 2', 'add-accept all C 2'];
    expect(commands(begun, majorityOf('A', 'B', 'C'))).toEqual(way);
    replay(begun, way);
    const readsAnywhere = { prepare: of(1, 'A', 'B', 'C'), accept: of(3, 'A', 'B', 'C') };
    expect(commands(at('A', 'B', 'C'), readsAnywhere)).toEqual(['add-accept all C 3', 'rescan A,B,C 2', 'add-prepare all C 1']);
  });

  it('begins with the acceptor that was begun with, and rescans only where somebody serves', () => {
    const ways = [
      [{ prepare: of(1, 'B'), accept: of(0), resting: [] }, majorityOf('A', 'B', 'C'), 'add-accept all B 1'],
      [{ prepare: of(1, 'D'), accept: of(0), resting: [of(1, 'D#1')] }, majorityOf('A'), 'add-prepare all A 2'],
      // It goes by no majorities, and what was begun is taken back by the step that it was begun by.
      [{ prepare: of(0), accept: of(1, 'D'), resting: [of(1, 'A#1', 'B#1', 'C#1')] }, majorityOf('A', 'B', 'C'), 'rm-accept all D 0'],
    ] as const;
    for (const [begun, to, first] of ways) {
      const way = commands(begun, to) ?? [];
      expect(way[0]).toBe(first);
      const end = replay(begun, way);
      expect([end.prepare, end.accept].map(entryKey)).toEqual([to.prepare, to.accept].map(entryKey));
    }
  });

  it('gives up first what was begun and leads nowhere, which nobody uses', () => {
    const begun = { prepare: of(0), accept: of(1, 'A', 'B'), resting: [of(1, 'A#1', 'B#1')] };
    const [first, ...others] = planSteps(begun, majorityOf('A', 'B'), IDENTITIES) ?? [];
    expect(first && [typed(first.step), first.after]).toEqual(['wipe all', { ...NOTHING, resting: begun.resting }]);
    const rest = others.map(({ step }) => typed(step));
    expect(rest).toEqual(['add-prepare all A 1', 'add-prepare all B 2', 'add-accept all A 1', 'add-accept all B 2']);
    replay({ ...NOTHING, resting: begun.resting }, rest);
  });

  it('lets who is not empty join only where it is listed already, or where nobody serves', () => {
    const joined = (from: Start, to: Sets, ...holding: string[]): string[] | undefined =>
      planSteps(from, to, IDENTITIES, undefined, holding)?.map(({ step }) => typed(step));
    expect(joined(at('A'), majorityOf('A', 'B'), 'B')).toBeUndefined();
    expect(joined(at('A'), majorityOf('A', 'B'), 'A')).toEqual(commands(at('A'), majorityOf('A', 'B')));
    expect(joined(NOTHING, majorityOf('A', 'B'), 'A', 'B')).toEqual(commands(NOTHING, majorityOf('A', 'B')));
    const middle = { prepare: of(2, 'A', 'B'), accept: of(2, 'A', 'B', 'C'), resting: [of(2, 'A#1', 'B#1', 'C#1')] };
    expect(joined(middle, majorityOf('A', 'B', 'C'), 'C')).toEqual(['add-prepare all C 2']);
  });

  it('never leaves proposers that serve without acceptors', () => {
    expect(commands(at('A'), EMPTY_CONFIGURATION)).toBeUndefined();
    expect(majority(0)).toBe(0);
  });

  it('is given up where it takes too long to find', () => {
    const to = majorityOf('C', 'D');
    expect(planSteps(at('A', 'B'), to, IDENTITIES)).toBeDefined();
    expect(planSteps(at('A', 'B'), to, IDENTITIES, 5)).toBeUndefined();
  });

  it('is not to be had where what rests on lost acceptors could not be found', () => {
    expect(commands({ ...NOTHING, resting: [of(1, 'lost#1')] }, majorityOf('A'))).toBeUndefined();
  });

  it.each([1, 2, 3, 4, 5, 6, 7].flatMap((from) => [1, 2, 3, 4, 5, 6, 7].map((to): [number, number] => [from, to])))(
    'from %i acceptors to %i, growing or shrinking, passes the guard step by step',
    (from, to) => {
      const start = at(...NAMES.slice(0, from));
      const target = majorityOf(...NAMES.slice(0, to));
      const end = replay(start, commands(start, target) ?? ['none']);
      expect(end).toMatchObject(target);
      // The plan knows what it leaves behind.
      const planned = planSteps(start, target, IDENTITIES)?.at(-1)?.after ?? start;
      expect(planned.resting.map(entryKey).sort()).toEqual(end.resting.map(entryKey).sort());
      // And it leaves no debt behind that the way back could not pay.
      expect(replay(end, commands(end, majorityOf(...NAMES.slice(0, from))) ?? ['none'])).toMatchObject(
        majorityOf(...NAMES.slice(0, from)),
      );
    },
  );

  it.each([1, 2, 3, 4])('from %i acceptors to as many others passes the guard step by step', (count) => {
    const start = at(...NAMES.slice(0, count));
    const target = majorityOf(...NAMES.slice(count, 2 * count));
    expect(replay(start, commands(start, target) ?? ['none'])).toMatchObject(target);
  });
});

it('a rescan of an accept set that no prepare quorum is sure to meet names all of its acceptors, and needs each of them', () => {
  const entry = of(1, 'acceptor-1:6379#0f3a', 'acceptor-2:6379#77b1');
  expect(rescanOfEntry(entry)).toEqual({ verb: 'rescan', acceptors: ['acceptor-1:6379', 'acceptor-2:6379'], required: 2 });
});
