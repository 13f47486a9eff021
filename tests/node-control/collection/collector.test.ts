import { expect, it } from 'vitest';
import { Collector, type CollectorOptions } from '../../../node-control/collection/collector.js';
import { ControlError } from '../../../node-control/safety/objection.js';
import { VirtualTime } from '../../../verification/simulation/virtual-time.js';

const HOUR_MS = 3_600_000;
type Collect = CollectorOptions['collect'];

/** A collector, and when it began each collection. */
function collecting(collect: Collect, everyMs = HOUR_MS) {
  const time = new VirtualTime();
  const [said, begunAtMs]: [string[], number[]] = [[], []];
  const turn = { isTaken: false };
  const collector = new Collector({
    collect: (progress) => {
      begunAtMs.push(time.nowMs());
      return collect(progress);
    },
    ...{ everyMs, time },
    isTurnTaken: () => turn.isTaken,
    say: (line) => said.push(line),
  });
  return { time, said, begunAtMs, turn, collector, running: collector.run() };
}

/** Collections that end when a test says so; each asks whether it is to go on before it does. */
function slowly(): { readonly collect: Collect; readonly end: () => void } {
  let end = (): void => undefined;
  const collect: Collect = async ({ show }) => {
    await new Promise<void>((resolve) => (end = resolve));
    show('removed 1 of 1 register', 1);
    return ['1 register of deleted keys removed (era 3)'];
  };
  return { collect, end: () => end() };
}

it('collects each time that the interval has passed since the last one ended, and never two at a time', async () => {
  const { collect, end } = slowly();
  const { time, begunAtMs } = collecting(collect);
  await time.advance(HOUR_MS - 1);
  expect(begunAtMs).toEqual([]);
  await time.advance(3 * HOUR_MS + 1);
  expect(begunAtMs).toEqual([HOUR_MS]);
  end();
  await time.advance(HOUR_MS);
  expect(begunAtMs).toEqual([HOUR_MS, 5 * HOUR_MS]);
});

it('says what was collected, and what hinders it, once', async () => {
  const outcomes: (string | Error)[] = [
    'nothing was removed',
    'nothing was removed',
    new ControlError('a is away'),
    new ControlError('a is away'),
  ];
  outcomes.push('2 registers of deleted keys removed (era 3)', 'nothing was removed', new TypeError('a bug'));
  const { time, said, begunAtMs } = collecting(() => {
    const outcome = outcomes.shift() ?? 'nothing was removed';
    return typeof outcome === 'string' ? Promise.resolve([outcome]) : Promise.reject(outcome);
  });
  await time.advance(6 * HOUR_MS);
  expect(said.map((line) => line.split('\n')[0])).toEqual([
    'collection: nothing was removed',
    'no collection: a is away. It is tried again by itself',
    'collection: 2 registers of deleted keys removed (era 3)',
    'collection: nothing was removed',
    'no collection: TypeError: a bug',
    'collection: nothing was removed',
  ]);
  // A minute after what did not work, not an hour.
  expect(begunAtMs.slice(0, 5).map((atMs) => atMs / 60_000)).toEqual([60, 120, 180, 181, 182]);
});

it('begins none while a command has its turn, and then soon', async () => {
  const { time, turn, begunAtMs, said } = collecting(() => Promise.resolve(['nothing was removed']));
  turn.isTaken = true;
  await time.advance(3 * HOUR_MS);
  expect([begunAtMs, said]).toEqual([[], []]);
  turn.isTaken = false;
  await time.advance(60_000);
  expect(begunAtMs).toHaveLength(1);
});

it('gives way to a command, which waits for its end, and goes on later', async () => {
  const { collect, end } = slowly();
  const { time, said, begunAtMs, collector } = collecting(collect, 30_000);
  await time.advance(30_000);
  let isGiven = false;
  const given = collector.giveWay().then(() => (isGiven = true));
  await time.settle();
  expect(isGiven).toBe(false);
  end();
  await given;
  expect(said).toEqual(['a collection gave way to a command']);
  // What is shorter than a minute stays.
  await time.advance(30_000);
  expect(begunAtMs).toEqual([30_000, 60_000]);
  end();
  await time.settle();
  expect(said.at(-1)).toBe('collection: 1 register of deleted keys removed (era 3)');
});

it('gives way at once where nothing is collected', async () => {
  const { collector } = collecting(() => Promise.resolve([]));
  await collector.giveWay();
});

it('ends what is under way when it is stopped, and begins no more', async () => {
  const { collect, end } = slowly();
  const { time, said, begunAtMs, collector, running } = collecting(collect);
  await time.advance(HOUR_MS);
  const stopped = collector.stop();
  end();
  await stopped;
  expect(said).toEqual(['a collection was ended']);
  await time.advance(HOUR_MS);
  await running;
  expect([begunAtMs, time.pending]).toEqual([[HOUR_MS], 0]);
});
