import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkHistory } from '../../../verification/checkers/check.js';
import { checkLinearizability } from '../../../verification/checkers/linearizability.js';
import { someOrderExplains } from './orders.js';
import { bentNumbers, trueNumbers } from './random-histories.js';
import { toldHistory } from './told.js';

const state = (ver: number, val: number | null): { ver: number; val: string | null } => ({ ver, val: val === null ? null : String(val) });
const rulesOf = (history: string, ver: number, val: number | null): string[] =>
  checkHistory(toldHistory(history), new Map([['k', state(ver, val)]])).map(({ rule }) => rule);

const TWO = 'A add 5\n A written 1 5\n B add 6\n B written 2 11';

describe('what was added', () => {
  it.each([
    ['is in the sum', TWO, 2, 11],
    ['begins with nothing where the key does not exist', `${TWO}\n A delete\n A written 3\n A add 7\n A written 4 7`, 4, 7],
    ['goes onto what was set', `${TWO}\n A set 1000\n A written 3\n B add 7\n B written 4 1007\n C get\n C 4 1007`, 4, 1007],
    ['is told by the difference, where its own answer was lost', `${TWO}\n C add 7\n C unknown\n D get\n D 3 18`, 3, 18],
    [
      'may be in a sum between which and the last nobody looked',
      `${TWO}\n C add 7\n C unknown\n B add 8\n B unknown\n D get\n D 4 26`,
      4,
      26,
    ],
    ['is there once, whoever asks again', 'A add 5 as N\n A unknown\n A add 5 as N\n A written 1 5\n A add 5 as N\n A written 1', 1, 5],
    ['may expect a version', `${TWO}\n C add 7 2\n C written 3 18\n D add 8 2\n D 3 18\n D add 9 0\n D 3 18`, 3, 18],
    ['is that of another than who missed', `${TWO}\n D add 8 2\n C add 7\n C written 3 18\n D 3 18\n E add 9\n E written 4 27`, 4, 27],
    ['may be there although nobody was told', `${TWO}\n C add 7\n C unknown`, 3, 18],
    ['may be there with others of which nobody was told either', `${TWO}\n C add 7\n C unknown\n D add 8\n D unknown`, 4, 26],
  ])('%s', (_, history, ver, val) => {
    expect(rulesOf(history, ver, val)).toEqual([]);
  });

  it.each([
    ['is not missing from the sum', `${TWO}\n C get\n C 2 5`, 2, 11, 'linearizability'],
    ['is not there twice', `${TWO}\n C get\n C 3 16`, 3, 16, 'linearizability'],
    ['is not there twice where the key was deleted in between', `${TWO}\n C delete\n C written 3\n D get\n D 4 5`, 4, 5, 'linearizability'],
    ['is not there twice in the end', TWO, 3, 16, 'lineage'],
    [
      'is not there twice under its name',
      'A add 5 as N\n A unknown\n B get\n B 1 5\n A add 5 as N\n A written 2 10',
      2,
      10,
      'linearizability',
    ],
    ['is not there twice beside one that is open', `${TWO}\n C add 7\n C unknown\n D get\n D 3 17`, 3, 17, 'linearizability'],
    ['is not lost below another', `${TWO}\n C add 7\n C written 3 12`, 3, 12, 'linearizability'],
    ['is not lost in the end', TWO, 2, 5, 'lineage'],
    ['is not there where it expected another version', `${TWO}\n C add 7 1\n C written 3 18`, 3, 18, 'linearizability'],
    ['is not added to what does not exist, where it expects a version', 'A add 5 1\n A written 2 5', 2, 5, 'linearizability'],
    ['has not missed where its version was there', `${TWO}\n C add 7 2\n C 2 11`, 2, 11, 'linearizability'],
    ['is no deletion', `${TWO}\n C add 7\n C written 3 -`, 3, null, 'linearizability'],
    ['is no deletion, whoever says so', `${TWO}\n C add 7\n C written 3\n D get\n D 3`, 3, null, 'linearizability'],
    [
      'is not what a collection leaves',
      `${TWO}\n A delete\n A written 3\n collection\n C add 7 20\n C unknown\n D get\n D 9 13`,
      9,
      13,
      'linearizability',
    ],
    ['is more than nothing', 'A add 5\n A written 1 3', 1, 3, 'linearizability'],
  ])('%s', (_, history, ver, val, rule) => {
    expect(rulesOf(history, ver, val)).toContain(rule);
  });
});

describe('the checker, beside the definition of linearizability', () => {
  it('finds nothing wrong in what a register of numbers answered', () => {
    fc.assert(
      fc.property(trueNumbers, (operations) => {
        expect(checkLinearizability(operations)).toBeUndefined();
      }),
      { numRuns: 5_000 },
    );
  });

  it('refuses none that is right, and nearly all that are wrong: of a sum over one that nobody was told of it cannot know all', () => {
    const count = { wrong: 0, found: 0 };
    fc.assert(
      fc.property(bentNumbers, (operations) => {
        const isFound = checkLinearizability(operations) !== undefined;
        if (someOrderExplains(operations)) expect(isFound).toBe(false);
        else count.wrong += 1;
        if (isFound) count.found += 1;
      }),
      { numRuns: 5_000 },
    );
    expect(count.wrong).toBeGreaterThan(1_000);
    expect(count.found / count.wrong).toBeGreaterThan(0.97);
  });
});

describe('a key that was never deleted', () => {
  it('is told its versions without a gap, though other keys are collected', () => {
    const kept = 'A set a\n A written 1\n collection\n B set b\n B written 3';
    const final = new Map([['k', { ver: 3, val: 'b' }]]);
    expect(checkHistory(toldHistory(kept), final).map(({ rule }) => rule)).toEqual(['linearizability', 'final state']);
    const created = 'collection\n B set b\n B written 3';
    expect(checkHistory(toldHistory(created), final)).toEqual([]);
    const deleted = 'A set a\n A written 1\n D delete\n D unknown\n collection\n B set b\n B written 9';
    expect(checkHistory(toldHistory(deleted), new Map([['k', { ver: 9, val: 'b' }]]))).toEqual([]);
  });
});
