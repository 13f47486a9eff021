import { readFileSync, writeFileSync } from 'node:fs';
import path, { join } from 'node:path';
import { expect, it } from 'vitest';
import { INCREMENTS } from '../../bench/cases.js';
import { measurePage } from '../../bench/page-cost.js';
import { linesFor } from '../../bench/report/tables.js';
import type { Results } from '../../bench/results.js';
import { etcdVersion } from '../../bench/systems/etcd.js';
import type { SystemName } from '../../bench/systems/system.js';
import { zooKeeperVersion } from '../../bench/systems/zookeeper.js';
import { DIST } from '../proposer-process.js';
import { expectServed, folderOfThisTest, leftIn, startBench } from './bench-program.js';
import { NOTHING } from './figures.js';

const PROGRAM = 'bench/main.js';
const ETCD = process.env['ETCD'] ?? 'etcd';
const JARS = process.env['ZOOKEEPER'];

async function measure(...args: string[]): Promise<{ output: string; results: Results }> {
  const folder = folderOfThisTest();
  const json = join(folder, 'figures.json');
  const { ended, output } = startBench(PROGRAM, folder, '--rounds', '1', '--seconds', '1', '--warm-up', '0', '--json', json, ...args);
  expect([await ended, output()]).toEqual([0, expect.any(String)]);
  expect(leftIn(folder)).toEqual(['figures.json']);
  return { output: output(), results: JSON.parse(readFileSync(json, 'utf8')) as Results };
}

it('measures this cluster and the floors in turn where there is no etcd, says so, ends by itself and leaves nothing', async () => {
  const { output, results } = await measure('--clients', '1', '--keys', '1000', '--etcd', '/nowhere/etcd');
  expect(output).toMatch(
    /no etcd \(it was not found\), no ZooKeeper \(it was not found\)[^]+increments, 1 loop, 1,000 keys +this cluster [^]+Express floor [^]+Redis floor/,
  );
  const rounds = Object.entries(results.cases[0]?.rounds ?? {});
  expect(rounds.map(([system]) => system)).toEqual(['caspaxos', 'affinity', 'express', 'redis']);
  for (const { seen, cpuMs, loadCpuMs } of rounds.flatMap(([, those]) => those)) {
    expectServed(seen);
    expect(seen.writes).toBeGreaterThan(0);
    // Counted in ticks: one alone may not have got as far as the first.
    expect(Object.values(cpuMs).reduce((sum, each) => sum + each, loadCpuMs)).toBeGreaterThan(0);
  }
});

it.skipIf(etcdVersion(ETCD) === undefined)('measures etcd beside it (skipped where there is no etcd; ETCD=/path/to/etcd)', async () => {
  const { output, results } = await measure('--clients', '1', '--keys', '9', '--etcd', ETCD);
  expect(output).toMatch(/, etcd 3\.[^]+increments, 1 loop, 9 keys +this cluster [^]+ etcd /);
  expectIncrements(results, 'etcd');
});

it.skipIf(zooKeeperVersion(JARS) === undefined)(
  'measures ZooKeeper beside it (skipped where there is none; ZOOKEEPER=/its/jars)',
  async () => {
    const { output, results } = await measure('--clients', '1', '--keys', '9', '--zookeeper', JARS ?? '');
    expect(output).toMatch(/, ZooKeeper 3\.[^]+increments, 1 loop, 9 keys +this cluster [^]+ ZooKeeper /);
    expectIncrements(results, 'zookeeper');
  },
);

it('sets another build beside this one, and nothing else', async () => {
  const { output, results } = await measure('--clients', '1', '--keys', '9', '--against', path.dirname(DIST));
  expect(Object.keys(results.cases[0]?.rounds ?? {})).toEqual(['caspaxos', 'before']);
  expectIncrements(results, 'before');
  expect(output).toMatch(/NOW AGAINST BEFORE[^]+CPU µs, all servers[^]+writes, proposers +\d[^]+operations per second +\d/);
});

function expectIncrements({ cases }: Results, system: SystemName): void {
  const rounds = cases[0]?.rounds[system] ?? [];
  expect(rounds).toHaveLength(1);
  for (const { seen } of rounds) {
    expectServed(seen);
    expect(seen.writes).toBeGreaterThan(0);
  }
}

it('gives one proposer many keys, and weighs it', async () => {
  const { results } = await measure('--only', 'keys', '--many', '2000');
  expect(results.keys).toMatchObject({ few: 1_000, many: 2_000 });
  expect([results.keys?.fewMib, results.keys?.manyMib].every((mib) => mib !== undefined && mib > 20)).toBe(true);
});

it('opens and closes pages of the control node under a load', async () => {
  const options = { node: process.execPath, rounds: 1, seconds: 1, warmUpSeconds: 0, progress: () => undefined };
  const page = await measurePage({ ...options, signal: new AbortController().signal }, { ...INCREMENTS, clients: 1 });
  const { none, one, ten } = page;
  expect([none, one, ten].map(({ length }) => length)).toEqual([1, 1, 1]);
  for (const { seen, cpuMs } of [...none, ...one, ...ten]) {
    expectServed(seen);
    expect(seen.writes).toBeGreaterThan(0);
    expect(Object.keys(cpuMs)).toEqual(['acceptor', 'proposer', 'control']);
  }
  expect(linesFor({ ...NOTHING, page }).join('\n')).toMatch(/PAGES OPEN [^]+\nnone [^]+\none [^]+\nten /);
});

it('shows the figures of an earlier run, and measures nothing', async () => {
  const folder = folderOfThisTest();
  const pauses = [{ system: 'caspaxos', node: 'acceptor-1', fault: 'kill', pausesMs: [17] }] as const;
  writeFileSync(join(folder, 'figures.json'), JSON.stringify({ ...NOTHING, pauses }));
  const { ended, output } = startBench(PROGRAM, folder, '--from', join(folder, 'figures.json'));
  expect(await ended).toBe(0);
  expect(output()).toMatch(/kill -9 +this cluster +acceptor-1 +17 [^]+at most 100 ms +17 ms +17 … 17 +yes/);
});

it('cleans up when it is interrupted', async () => {
  const folder = folderOfThisTest();
  const { ended, output, interrupt } = startBench(PROGRAM, folder, '--clients', '1', '--keys', '9', '--rounds', '99');
  while (!output().includes(': round ')) await new Promise((resolve) => setTimeout(resolve, 50));
  interrupt();
  expect(await ended).toBe(130);
  expect(leftIn(folder)).toEqual([]);
});
