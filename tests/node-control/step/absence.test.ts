import { expect, it } from 'vitest';
import { Nodes } from '../../../node-control/nodes/nodes.js';
import { absenceAmong, leavingOut, shortagesOf } from '../../../node-control/step/absence.js';
import type { Configuration } from '../../../src/protocol/configuration.js';
import type { QuorumSet } from '../../../src/protocol/quorum.js';

const A = 'acceptor-1:6379';
const B = 'acceptor-2:6379';
const on = (...nodes: string[]): Configuration => ({ era: 1, prepare: { nodes, quorum: 1 }, accept: { nodes, quorum: 1 } });

it('a step that would leave lost acceptors alone is refused with what has to come back, not with a resize to nobody', () => {
  const step = { name: 'proposer-1', before: on(A, B), after: on(A), changed: true };
  expect(shortagesOf({ unreachable: [], refusals: {}, strangers: [A], wentBack: {} }, [step])).toEqual(
    ['prepare', 'accept'].map((phase) => ({
      why: `proposer-1 would ${phase} on 1 of ${A}, which has no quorum: ${A} lost the data`,
      advice: `Bring back the volume of ${A}: without it no acceptor is left`,
    })),
  );
});

it('an accept set does not grow while the prepare set lacks a quorum for good: the rescan that would have to follow could never run', () => {
  const prepare = { nodes: [A, B], quorum: 2 };
  const [empty, one] = [
    { nodes: [], quorum: 0 },
    { nodes: [B], quorum: 1 },
  ];
  const step = (before: QuorumSet, after: QuorumSet) => ({
    ...{ name: 'proposer-1', changed: true },
    before: { era: 2, prepare, accept: before },
    after: { era: 3, prepare, accept: after },
  });
  const absence = { unreachable: [], refusals: {}, strangers: [A], wentBack: {} };
  expect(shortagesOf(absence, [step(empty, one)])).toEqual([
    {
      why: `proposer-1 would prepare on 2 of ${A} ${B}, which has no quorum: ${A} lost the data`,
      ...{ advice: 'First leave out what is lost', steps: [{ verb: 'resize', acceptors: [B] }] },
    },
  ]);
  expect(shortagesOf(absence, [step(one, empty)])).toEqual([]);
  expect(shortagesOf({ ...absence, strangers: [] }, [step(empty, one)])).toEqual([]);
});

it('what is lost is left out by a resize to those that are left', () => {
  expect(leavingOut([A], [B])).toEqual({ advice: 'First', steps: [{ verb: 'resize', acceptors: [B] }] });
  expect(leavingOut([A, B], []).advice).toBe(`Bring back the volume of ${A} or ${B}: without them no acceptor is left`);
});

it.each([
  ['start it', {}, '', `First start ${B}`],
  ['look at why, where a start is of no use', { [B]: 'it is held' }, ' (it is held)', 'Mend that first'],
])('a step that needs an acceptor that does not answer is refused with what to do: %s', (_what, refusals, reason, advice) => {
  const both = { nodes: [A, B], quorum: 2 };
  const step = { name: 'proposer-1', before: on(A), after: { era: 2, prepare: on(A).prepare, accept: both }, changed: true };
  expect(shortagesOf({ unreachable: [B], refusals, strangers: [], wentBack: {} }, [step])).toEqual([
    { why: `proposer-1 would accept on 2 of ${A} ${B}, which has no quorum: ${B}${reason} cannot be reached`, advice },
  ]);
});

const silent = (): never => {
  throw new Error('it does not answer');
};

it('of an acceptor that does not answer it is known whether it is held', async () => {
  const nodes = new Nodes([], [A, B], { proposer: silent, acceptor: silent }, undefined, {
    heldNotes: (name) => Promise.resolve(name === B ? ['This acceptor is HELD'] : undefined),
  });
  const { unreachable, refusals } = await absenceAmong(nodes, [A, B], {});
  expect([unreachable, refusals]).toEqual([[A, B], { [B]: 'it is held: the status says why, and what to do' }]);
});
