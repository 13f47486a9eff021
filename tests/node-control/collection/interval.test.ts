import { expect, it } from 'vitest';
import { readInterval } from '../../../node-control/collection/interval.js';

it.each([
  ['1s', 1_000],
  ['30m', 1_800_000],
  ['12h', 43_200_000],
  ['24d', 2_073_600_000],
])('takes %s', (text, intervalMs) => {
  expect(readInterval(text)).toBe(intervalMs);
});

it.each([undefined, ''])('is off for %j', (text) => {
  expect(readInterval(text)).toBeUndefined();
});

it.each(['0s', '60', 'h', '1.5h', '-1h', '25d', '577h', '1w', ' 1h', '1h 30m', 'off'])('refuses "%s", and says what to write', (text) => {
  expect(() => readInterval(text)).toThrow(
    `COLLECT_EVERY: write a number of seconds, minutes, hours or days, from 1s to 24d, such as 30m or 12h, or nothing, not "${text}"`,
  );
});
