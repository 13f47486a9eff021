import { expect, it } from 'vitest';
import { InFlight } from '../../../node-control/rescan/in-flight.js';

/** Tasks that end when they are told to. */
function tasks(count: number): { begun: number[]; ends: (() => void)[]; all: (() => Promise<void>)[] } {
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const all = Array.from({ length: count }, (_, index) => (): Promise<void> => {
    begun.push(index);
    return new Promise((resolve) => (ends[index] = resolve));
  });
  return { begun, ends, all };
}

it('begins as many tasks as there is room for, and the next one when any of them ends', async () => {
  const { begun, ends, all } = tasks(3);
  const inFlight = new InFlight(2);
  for (const task of all.slice(0, 2)) await inFlight.begin(task);
  const third = inFlight.begin(all[2] as () => Promise<void>);
  await Promise.resolve();
  expect(begun).toEqual([0, 1]);
  ends[1]?.();
  await third;
  expect(begun).toEqual([0, 1, 2]);
  let isSettled = false;
  const settled = inFlight.settled().then(() => (isSettled = true));
  ends[0]?.();
  await new Promise(setImmediate);
  expect(isSettled).toBe(false);
  ends[2]?.();
  await settled;
});

it('tells of a task that failed to who waits for room, and to who waits for the end', async () => {
  const inFlight = new InFlight(1);
  await inFlight.begin(() => Promise.reject(new Error('no')));
  await new Promise(setImmediate);
  await expect(inFlight.begin(async () => undefined)).rejects.toThrow('no');
  await expect(inFlight.settled()).rejects.toThrow('no');
});
