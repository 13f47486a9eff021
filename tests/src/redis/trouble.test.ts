import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { TimedOut, UnfitAcceptor } from '../../../src/protocol/errors.js';
import { RefusedToRun } from '../../../src/redis/refusals.js';
import { TroubleWatch } from '../../../src/redis/trouble.js';

const OOM = new RefusedToRun('OOM', undefined);
const LATE = new TimedOut('slow');
const SECOND_MS = 1_000;

let told: (string | undefined)[];
let answer: Error | undefined;
let tries: number;
let watch: TroubleWatch;

beforeEach(() => {
  vi.useFakeTimers();
  [told, answer, tries] = [[], undefined, 0];
  const tryWrite = async (): Promise<void> => {
    tries += 1;
    if (answer) watch.failed(answer);
    else watch.worked();
  };
  watch = new TroubleWatch(tryWrite, (trouble) => told.push(trouble?.reason));
});
afterEach(() => {
  watch.stop();
  vi.useRealTimers();
});

it('tells once that it began, however often it fails, and once that it is over', async () => {
  for (let turn = 0; turn < 50; turn += 1) {
    watch.failed(OOM);
    watch.worked();
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(told).toEqual(['OOM']);
  expect(watch.present).toMatchObject({ reason: 'OOM', text: 'OOM, its memory is full' });
  await vi.advanceTimersByTimeAsync(2 * SECOND_MS);
  watch.worked();
  expect(told).toEqual(['OOM', undefined]);
  expect(watch.present).toBeUndefined();
});

it('finds out by itself that it is over, tries no more often than once a second, and not at all without a trouble', async () => {
  await vi.advanceTimersByTimeAsync(5 * SECOND_MS);
  expect(tries).toBe(0);
  answer = OOM;
  watch.failed(OOM);
  await vi.advanceTimersByTimeAsync(10 * SECOND_MS);
  expect([tries, told]).toEqual([10, ['OOM']]);
  answer = undefined;
  await vi.advanceTimersByTimeAsync(10 * SECOND_MS);
  expect([tries, told]).toEqual([11, ['OOM', undefined]]);
});

it('is over after that time also where the clock is put back by hours', async () => {
  watch.failed(OOM);
  vi.setSystemTime(Date.now() - 3 * 3_600 * SECOND_MS);
  await vi.advanceTimersByTimeAsync(2 * SECOND_MS);
  expect(told).toEqual(['OOM', undefined]);
});

it('says what is wrong rather than that it is late, whichever was first', () => {
  watch.failed(LATE);
  watch.failed(OOM);
  watch.failed(LATE);
  expect(told).toEqual(['timeout', 'OOM']);
});

it('minds no error that has another place in the log', () => {
  for (const error of [new Error('reset'), new UnfitAcceptor('set up wrong')]) watch.failed(error);
  expect(told).toEqual([]);
});

it('is silent once the connection is gone', async () => {
  watch.failed(OOM);
  watch.stop();
  await vi.advanceTimersByTimeAsync(5 * SECOND_MS);
  expect([tries, told, watch.present]).toEqual([0, ['OOM'], undefined]);
});
