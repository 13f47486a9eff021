import { expect, it } from 'vitest';
import { ALL_CASES, caseName, GOAL_CASES } from '../../bench/cases.js';
import { optionsFrom } from '../../bench/settings.js';

it('measures everything where nothing is said', () => {
  expect(optionsFrom([])).toMatchObject({
    only: undefined,
    cases: undefined,
    rounds: 5,
    node: process.execPath,
    etcd: 'etcd',
    zookeeper: undefined,
    against: undefined,
    write: false,
  });
});

it('makes all combinations of what is listed, and takes the rest from the increments of the goals', () => {
  const { only, cases } = optionsFrom(['--mix', 'reads,increments', '--clients', '1,2', '--only', 'goals']);
  expect([only, cases?.map(({ of }) => caseName(of))]).toEqual([
    'cases',
    ['reads, 1 loop, 10,000 keys', 'reads, 2 loops, 10,000 keys', 'increments, 1 loop, 10,000 keys', 'increments, 2 loops, 10,000 keys'],
  ]);
});

it('leaves out the floors where they would do the same again', () => {
  const systems = (...args: string[]) => optionsFrom(args).cases?.[0]?.systems;
  expect(systems('--clients', '2', '--mix', 'reads')).toEqual(['caspaxos', 'zookeeper', 'etcd', 'express', 'redis']);
  expect(systems('--keys', '9', '--mix', 'reads')).toEqual(['caspaxos', 'zookeeper', 'etcd']);
  expect(systems('--padding', '4096', '--mix', 'reads')).toEqual(['caspaxos', 'zookeeper', 'etcd']);
});

it('looks at affinity where something is written, and nothing else', () => {
  expect(optionsFrom(['--mix', 'reads,increments', '--keys', '9']).cases?.map(({ systems }) => systems)).toEqual([
    ['caspaxos', 'zookeeper', 'etcd'],
    ['caspaxos', 'affinity', 'zookeeper', 'etcd'],
  ]);
});

it('has each case once, and those of the goals among all', () => {
  const names = ALL_CASES.map(({ of }) => caseName(of));
  expect(new Set(names).size).toBe(names.length);
  expect(names).toEqual(expect.arrayContaining(GOAL_CASES.map(({ of }) => caseName(of))));
});
