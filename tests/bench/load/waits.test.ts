import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Waits } from '../../../bench/load/waits.js';

it('counts whoever still waits among the longest, and not among those that ended', async () => {
  const waits = new Waits();
  waits.begin(1);
  await sleep(30);
  const { count, longestMs, p99Ms } = waits.look();
  expect([count, p99Ms]).toEqual([0, 0]);
  expect(longestMs).toBeGreaterThanOrEqual(29);
});

it('sees a wait whole in the stretch in which it ends', async () => {
  const waits = new Waits();
  waits.begin(1);
  await sleep(30);
  waits.look();
  waits.end(1, true);
  const { count, p50Ms } = waits.look();
  expect(count).toBe(1);
  // From its begin, not from the look; how long a sleep takes is the machine's business.
  expect(p50Ms).toBeGreaterThan(25);
});

it('leaves out what came to nothing', () => {
  const waits = new Waits();
  waits.begin(1);
  waits.end(1, false);
  waits.end(2, true);
  expect(waits.look()).toMatchObject({ count: 0, longestMs: 0 });
});
