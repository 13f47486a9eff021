import { expect, it } from 'vitest';
import { INCREMENTS, READS } from '../../bench/cases.js';
import { together } from '../../bench/results.js';
import { NOTHING } from './figures.js';

it('puts the figures of several runs together', () => {
  const pause = (node: string) => ({ system: 'caspaxos', node, fault: 'kill', pausesMs: [1] }) as const;
  const keys = { few: 1, many: 2, fewMib: 3, manyMib: 4, onFew: [], onMany: [] };
  const first = { ...NOTHING, rounds: 9, cases: [{ of: READS, rounds: {} }], pauses: [pause('a')], keys };
  const second = {
    ...NOTHING,
    cases: [{ of: INCREMENTS, rounds: {} }],
    pauses: [pause('b')],
    stopped: [{ of: READS, before: [], stopped: [] }],
  };
  expect(together([first, second])).toEqual({
    ...first,
    cases: [...first.cases, ...second.cases],
    pauses: [pause('a'), pause('b')],
    stopped: second.stopped,
  });
});
