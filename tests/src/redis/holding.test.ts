import { expect, it } from 'vitest';
import { ZERO_BALLOT } from '../../../src/protocol/ballot.js';
import { ABSENT, ballotIn, ballotTextIn, isAbove, valueBytesIn } from '../../../src/redis/holding.js';

it('a holding says the ballot and the bytes; one that is absent, or holds a promise only, those of nothing', () => {
  expect([ballotTextIn('1.2.3.4:60'), ballotIn('1.2.3.4:60'), valueBytesIn('1.2.3.4:60')]).toEqual([
    '1.2.3.4',
    { era: 1, counter: 2, proposer: 3, incarnation: 4 },
    60,
  ]);
  for (const nothing of [ABSENT, ':0'])
    expect([ballotTextIn(nothing), ballotIn(nothing), valueBytesIn(nothing)]).toEqual(['', ZERO_BALLOT, 0]);
});

it('holdings are compared by their ballots, as numbers, whatever the values are', () => {
  const rising = [[ABSENT, ':0'], ['1.9.1.1:7', '1.9.1.1:70'], ['1.10.1.1:0'], ['1.10.2.1:5'], ['2.1.1.1:5']];
  for (const [place, lower] of rising.entries()) {
    for (const holding of lower) {
      for (const other of lower) expect(isAbove(holding, other), `${holding} above ${other}`).toBe(false);
      for (const higher of rising.slice(place + 1).flat()) {
        expect([isAbove(higher, holding), isAbove(holding, higher)], `${higher} above ${holding}`).toEqual([true, false]);
      }
    }
  }
});
