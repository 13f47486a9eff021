import { expect, it } from 'vitest';
import { ratios, spreadOf } from '../../bench/statistics.js';

it('takes the middle of an odd number of figures, whatever their order', () => {
  expect(spreadOf([10, 9, 2])).toEqual({ median: 9, least: 2, most: 10 });
});

it('takes the mean of the two in the middle of an even number', () => {
  expect(spreadOf([4, 1, 100, 2])).toEqual({ median: 3, least: 1, most: 100 });
});

it('has no spread of nothing', () => {
  expect(spreadOf([])).toBeUndefined();
});

it('compares each figure with its neighbour, and leaves out those that have none', () => {
  expect(ratios([10, 30, 50], [5, 10])).toEqual([2, 3]);
  expect(ratios([10], [])).toEqual([]);
});
