import { expect, it } from 'vitest';
import { describeOperation, describeState, describeStates } from '../../../verification/checkers/wording.js';
import { told } from './told.js';

it('says who did what, when, and what came of it', () => {
  const [write, read, open] = told(`
    A put 0 a
    A written
    B get
    B 1 a
    A put 1 b`).map(describeOperation);
  expect(write).toBe('A\'s write of "a" over version 0, from 10 ms (event 1) to 20 ms (event 2), was answered "written"');
  expect(read).toBe('B\'s get, from 30 ms (event 3) to 40 ms (event 4), was answered "version 1 "a""');
  expect(open).toBe('A\'s write of "b" over version 1, from 50 ms (event 5), was never answered');
});

it('says which states', () => {
  const state = (ver: number): { ver: number; val: string } => ({ ver, val: `v${ver}` });
  expect(describeState({ ver: 0, val: null })).toBe('version 0');
  expect(describeState({ ver: 1, val: null })).toBe('version 1, deleted');
  expect(describeStates([])).toBe('none');
  expect(describeStates([state(1)])).toBe('version 1 "v1"');
  expect(describeStates([state(1), state(2), state(3)])).toBe('version 1 "v1", version 2 "v2" or version 3 "v3"');
  expect(describeStates([1, 2, 3, 4, 5, 6, 7].map(state))).toMatch(/ version 6 "v6" or 1 more$/);
  expect(describeStates([1, 2, 3, 4, 5, 6].map(state))).toMatch(/, version 5 "v5" or version 6 "v6"$/);
});
