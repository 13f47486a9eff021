import { expect, it } from 'vitest';
import { leavingOut, shortagesOf } from '../../../node-control/step/absence.js';
import type { Configuration } from '../../../src/protocol/configuration.js';

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

it('what is lost is left out by a resize to those that are left', () => {
  expect(leavingOut([A], [B])).toEqual({ advice: 'First', steps: [{ verb: 'resize', acceptors: [B] }] });
  expect(leavingOut([A, B], []).advice).toBe(`Bring back the volume of ${A} or ${B}: without them no acceptor is left`);
});
