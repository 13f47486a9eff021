import { expect, it } from 'vitest';
import { INCREMENTS } from '../../../bench/cases.js';
import {
  affinityRows,
  caseRows,
  faultRows,
  figure,
  goalRows,
  keysRows,
  linesFor,
  pageRows,
  pairRows,
  stoppedRows,
  wanRows,
} from '../../../bench/report/tables.js';
import { increments, NOTHING, seen } from '../figures.js';

const CASES = [
  {
    of: INCREMENTS,
    rounds: {
      caspaxos: [increments(3_000, 600), increments(2_000, 500, { mismatches: 500 })],
      etcd: [increments(1_000, 1_000), increments(1_000, 2_000, { networkErrors: 250 })],
    },
  },
] as const;

it('shows a case as a line for each system, with its median, its spread and the ratios of neighbouring rounds', () => {
  expect(caseRows({ ...NOTHING, cases: CASES }).slice(1)).toEqual([
    [
      'increments, 64 loops, 10,000 keys',
      'this cluster',
      '225 (proposers 56.3, acceptors 169)',
      '',
      '2,500',
      '',
      '2',
      '9',
      '10%',
      '0%',
      '25%',
    ],
    ['', 'etcd', '1,500 (proposers 375, acceptors 1,125)', '0.16 (0.13 … 0.2)', '1,000', '2.5 (2 … 3)', '2', '9', '0%', '10%', '25%'],
  ]);
});

it('sets two builds side by side: CPU first, then writes, and the rate, each for one operation', () => {
  const rounds = { caspaxos: [increments(200, 40), increments(100, 20)], before: [increments(100, 40), increments(100, 40)] };
  expect(pairRows({ ...NOTHING, cases: [...CASES, { of: INCREMENTS, rounds }] }).slice(1)).toEqual([
    ['increments, 64 loops, 10,000 keys', 'CPU µs, all servers', '400', '200', '0.5 (0.5 … 0.5)'],
    ['', 'CPU µs, proposers', '100', '50', '0.5 (0.5 … 0.5)'],
    ['', 'CPU µs, acceptors', '300', '150', '0.5 (0.5 … 0.5)'],
    ['', 'writes, proposers', '3', '3', '1 (1 … 1)'],
    ['', 'writes, acceptors', '6', '6', '1 (1 … 1)'],
    ['', 'operations per second', '100', '150', '1.5 (1 … 2)'],
  ]);
});

it('shows what affinity gains', () => {
  const rounds = { caspaxos: [increments(100, 1, { mismatches: 100 }), increments(200)], affinity: [increments(300), increments(300)] };
  expect(affinityRows({ ...NOTHING, cases: [...CASES, { of: INCREMENTS, rounds }] }).slice(1)).toEqual([
    ['increments, 64 loops, 10,000 keys', '150', '300', '2.25 (1.5 … 3)', '25%', '0%'],
  ]);
});

it('shows each fault, and what was seen without one', () => {
  const pauses = [
    { system: 'caspaxos', node: '-', fault: 'none', pausesMs: [5] },
    { system: 'caspaxos', node: 'acceptor-1', fault: 'pause', pausesMs: [310, 300, 320] },
    { system: 'etcd', node: 'leader', fault: 'kill', pausesMs: [1_400] },
  ] as const;
  expect(faultRows({ ...NOTHING, pauses }).slice(1)).toEqual([
    ['none', 'this cluster', '-', '5', '5 … 5'],
    ['SIGSTOP', 'this cluster', 'acceptor-1', '310', '300 … 320'],
    ['kill -9', 'etcd', 'leader', '1,400', '1,400 … 1,400'],
  ]);
});

it('shows the p99 before and while an acceptor is stopped', () => {
  const stopped = [{ of: INCREMENTS, before: [seen({ p99Ms: 10 })], stopped: [seen({ p99Ms: 15 })] }];
  expect(stoppedRows({ ...NOTHING, stopped }).slice(1)).toEqual([['increments, 64 loops, 10,000 keys', '10', '15', '1.5 (1.5 … 1.5)']]);
});

it('shows what open pages cost, against none', () => {
  const watched = (writes: number, controlMs: number) => ({
    ...increments(writes),
    cpuMs: { proposer: 100 - controlMs, control: controlMs },
  });
  const page = {
    none: [watched(100, 0), watched(200, 0)],
    one: [watched(50, 10), watched(200, 20)],
    ten: [watched(100, 30), watched(100, 30)],
  };
  expect(pageRows(page).slice(1)).toEqual([
    ['none', '150', '', '750', '', '0%'],
    ['one', '125', '0.75 (0.5 … 1)', '1,250', '1.5 (1 … 2)', '1.5%'],
    ['ten', '100', '0.75 (0.5 … 1)', '1,000', '1.5 (1 … 2)', '3%'],
  ]);
});

it('shows how many round trips the fastest operation of a region took, and how long the middle one', () => {
  const tookMs = { read: [30, 20, 25], compareAndSet: [40], change: [] };
  const rows = wanRows([{ region: 'West', nearestMs: 20, isHome: true, tookMs }]);
  expect(rows[1]).toEqual(['West', '20 ms', 'only here', '1 (25 ms)', '2 (40 ms)', '']);
});

it('shows what a proposer holds', () => {
  const keys = { few: 1_000, many: 1_000_000, fewMib: 90.4, manyMib: 120, onFew: [increments(700)], onMany: [increments(600)] };
  expect(keysRows(keys).slice(1)).toEqual([
    ['1,000 keys', '90.4', '700'],
    ['1,000,000 keys', '120', '600'],
  ]);
});

it('says of each goal whether it is met', () => {
  const [{ of, rounds }] = CASES;
  const goals = goalRows({ ...NOTHING, cases: [{ of, rounds: { caspaxos: rounds.caspaxos, zookeeper: rounds.etcd } }] });
  expect(goals).toContainEqual([
    'increments per second, 64 loops on 10,000 keys, against ZooKeeper',
    'at least 1.2',
    '2.5',
    '2 … 3',
    'yes',
  ]);
  expect(goals).toContainEqual(['increments per second, 8 loops on one key, against ZooKeeper', 'at least 1.2', '', '', 'not measured']);
});

it('leaves out tables of what was not measured, and says which versions were', () => {
  const lines = linesFor({ ...NOTHING, versions: { ...NOTHING.versions, etcd: undefined } });
  expect(lines.slice(0, 3)).toEqual([
    'Node v24.0.0, Express 5.0.0, Redis 8.0.0, no etcd (it was not found), ZooKeeper 3.8.0',
    '',
    expect.stringMatching(/^GOAL +LIMIT +MEASURED +FROM … TO +MET$/),
  ]);
});

it.each([
  [0, '0'],
  [0.1234, '0.12'],
  [1.004, '1'],
  [12.34, '12.3'],
  [123.4, '123'],
  [12_345.6, '12,346'],
  [-45.67, '-45.7'],
  [NaN, '?'],
])('writes %d as %s', (value, text) => {
  expect(figure(value)).toBe(text);
});
