import { expect, it } from 'vitest';
import { DEMO_ADDS, INCREMENTS, ONE_KEY, READS } from '../../bench/cases.js';
import { type Goal, goalsOf } from '../../bench/goals.js';
import type { Results } from '../../bench/results.js';
import { increments, NOTHING, reads, seen } from './figures.js';

function goal(results: Partial<Results>, words: string): Goal {
  const [found, ...others] = goalsOf({ ...NOTHING, ...results }).filter(({ what }) => what.includes(words));
  if (!found || others.length > 0) throw new Error(`not one goal about ${words}`);
  return found;
}

it('holds the median of the ratios of neighbouring rounds against the limit, not the ratio of the medians', () => {
  const rounds = { caspaxos: [100, 400, 90].map((count) => increments(count)), zookeeper: [50, 800, 60].map((count) => increments(count)) };
  expect(goal({ cases: [{ of: INCREMENTS, rounds }] }, 'increments per second, 64 loops on 10,000 keys, against ZooKeeper')).toMatchObject({
    limit: 'at least 1.2',
    measured: { median: 1.5, least: 0.5, most: 2 },
    isMet: true,
  });
});

it.each([
  [119, false],
  [120, true],
])('%i increments against 100 meet "at least 1.2": %s', (count, isMet) => {
  const rounds = { caspaxos: [increments(count)], zookeeper: [increments(100)] };
  expect(goal({ cases: [{ of: ONE_KEY, rounds }] }, 'increments per second, 8 loops on one key').isMet).toBe(isMet);
});

it('counts increments that took effect, and no others', () => {
  const rounds = { caspaxos: [increments(30)], zookeeper: [increments(20, 1, { mismatches: 500 })] };
  const cases = [ONE_KEY, DEMO_ADDS].map((of) => ({ of, rounds }));
  expect(goal({ cases }, 'increments per second, 8 loops on one key').measured?.median).toBe(1.5);
  expect(goal({ cases }, 'by a change function per second, 3 loops on 9 keys').measured?.median).toBe(1.5);
});

it('divides the CPU time of all servers by the increments', () => {
  const rounds = { caspaxos: [increments(100, 48)], zookeeper: [increments(200, 60)], before: [increments(50, 48)] };
  const cases = [{ of: INCREMENTS, rounds }];
  const { measured, isMet } = goal({ cases }, 'CPU of all servers for an increment, 64 loops on 10,000 keys, against ZooKeeper');
  expect([measured?.median, isMet]).toEqual([expect.closeTo(1.6), false]);
  expect(goal({ cases }, 'increment, 64 loops on 10,000 keys, against the build before')).toMatchObject({
    measured: { median: 0.5 },
    isMet: true,
  });
  const read = { of: READS, rounds: { caspaxos: [reads(100, 85)], etcd: [reads(100, 100)] } };
  expect(goal({ cases: [read] }, 'CPU of all servers for a read, 64 loops, against etcd')).toMatchObject({
    measured: { median: 0.85 },
    isMet: true,
  });
});

it('takes the figures of two builds from the run that set them side by side', () => {
  const beside = { of: INCREMENTS, rounds: { caspaxos: [increments(100)], zookeeper: [increments(50)] } };
  const pair = { of: INCREMENTS, rounds: { caspaxos: [increments(90)], before: [increments(60)] } };
  expect(goal({ cases: [beside, pair] }, 'increments per second, 64 loops on 10,000 keys, against the build before').measured?.median).toBe(
    1.5,
  );
  expect(goal({ cases: [pair, beside] }, 'increments per second, 64 loops on 10,000 keys, against ZooKeeper').measured?.median).toBe(2);
});

it('counts as failures all but what was served and true mismatches, in percent of all operations', () => {
  const failing = increments(90, 1, { mismatches: 7, networkErrors: 1, otherAnswers: { CommitError: 2 } });
  const { measured, isMet } = goal({ cases: [{ of: INCREMENTS, rounds: { caspaxos: [failing] } }] }, 'another reason');
  expect([measured?.median, isMet]).toEqual([3, false]);
});

it('compares the p99 with a stopped acceptor to the p99 just before', () => {
  const stopped = [
    { of: INCREMENTS, before: [seen({ p99Ms: 10 })], stopped: [seen({ p99Ms: 21 })] },
    { of: READS, before: [seen({ p99Ms: 10 })], stopped: [seen({ p99Ms: 15 })] },
  ];
  expect(goal({ stopped }, 'p99 of increments')).toMatchObject({ measured: { median: 2.1 }, isMet: false });
  expect(goal({ stopped }, 'p99 of reads')).toMatchObject({ measured: { median: 1.5 }, isMet: true });
});

it.each([
  ['is met by pauses that are short', 'kill', 90, true],
  ['is missed by one pause after kill -9 that is longer than 100 ms', 'kill', 101, false],
  ['is missed by one pause after SIGSTOP that is longer than 100 ms', 'pause', 101, false],
] as const)('the goal for pauses %s', (_what, fault, longestMs, isMet) => {
  const pauses = [
    { system: 'caspaxos', node: 'acceptor-1', fault, pausesMs: [20, longestMs] },
    { system: 'caspaxos', node: 'proposer-1', fault: 'pause', pausesMs: [1_500] },
    { system: 'caspaxos', node: '-', fault: 'none', pausesMs: [500] },
    { system: 'etcd', node: 'leader', fault: 'kill', pausesMs: [1_400] },
  ] as const;
  expect(goal({ pauses }, 'longest pause')).toMatchObject({ measured: { most: longestMs }, isMet, counts: 'most' });
});

it('compares what a proposer holds, and how fast it is, after few keys and after many', () => {
  const keys = { few: 1_000, many: 5_000, fewMib: 100, manyMib: 199, onFew: [increments(100)], onMany: [increments(79)] };
  expect(goal({ keys }, 'MiB')).toMatchObject({ measured: { median: 99 }, isMet: true });
  expect(goal({ keys }, 'on 5,000 keys, against 1,000')).toMatchObject({ measured: { median: 0.79 }, isMet: false });
});

it('compares a cluster that is watched with one that is not, and many pages with one', () => {
  const page = { none: [increments(100)], one: [increments(96)], ten: [increments(95)] };
  expect(goal({ page }, 'page open, against none')).toMatchObject({ measured: { median: 0.96 }, isMet: false });
  expect(goal({ page }, 'ten pages open, against one')).toMatchObject({ measured: { median: 95 / 96 }, isMet: true });
});

it('neither meets nor misses what was not measured', () => {
  const known = goalsOf(NOTHING).filter(({ measured, isMet }) => measured !== undefined || isMet !== undefined);
  expect(known).toEqual([]);
});
