import { describe, expect, it } from 'vitest';
import { dangersOf, identified, restingAfter, restingAfterRescan } from '../../../node-control/safety/guard.js';
import { majority, planSteps, type Sets, type Start } from '../../../node-control/safety/plan.js';
import { parse, typed } from '../../../node-control/safety/typed-step.js';
import { isConfigured } from '../../../src/protocol/configuration.js';
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
