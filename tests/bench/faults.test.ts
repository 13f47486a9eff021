import { afterAll, beforeAll, expect, it } from 'vitest';
import { INCREMENTS } from '../../bench/cases.js';
import { measurePauses, measureStopped, named, NO_NODE } from '../../bench/faults.js';
import { BenchCluster } from '../../bench/systems/cluster.js';

const OPTIONS = {
  ...{ node: process.execPath, rounds: 1, seconds: 1, warmUpSeconds: 0 },
  progress: (): void => undefined,
  signal: new AbortController().signal,
};

let cluster: BenchCluster;
beforeAll(async () => {
  cluster = await BenchCluster.startConfigured(process.execPath);
});
afterAll(() => cluster.stop());

it('breaks a node by its name, sees how long clients wait for it, and mends it', async () => {
  const pids = { ...cluster.processes.pids };
  const [acceptor, proposer] = await measurePauses(cluster, 'kill', named(['acceptor-2', 'proposer-1']), OPTIONS);
  expect(acceptor).toMatchObject({ system: 'caspaxos', node: 'acceptor-2', fault: 'kill', pausesMs: [expect.any(Number)] });
  expect(proposer).toMatchObject({ node: 'proposer-1' });
  const changed = Object.entries(cluster.processes.pids).filter(([name, pid]) => pids[name] !== pid);
  expect(changed.map(([name]) => name)).toEqual(['acceptor-2', 'proposer-1']);
});

it('sees a client wait for a second for a proposer that hangs', async () => {
  const [hanging] = await measurePauses(cluster, 'pause', named(['proposer-2']), OPTIONS);
  // And no longer than until the proposer goes on: that would mean that nobody turned to the other one.
  expect(hanging?.pausesMs[0]).toSatisfy((pauseMs: number) => pauseMs > 900 && pauseMs < 10_000);
});

it('breaks nothing to see what there is to see then', async () => {
  const pids = { ...cluster.processes.pids };
  const [none] = await measurePauses(cluster, 'none', NO_NODE, OPTIONS);
  expect(none).toMatchObject({ node: '-', fault: 'none' });
  expect(cluster.processes.pids).toEqual(pids);
});

it('compares the stretch with a stopped acceptor to the one before, and lets the acceptor go on', async () => {
  const { before, stopped } = await measureStopped({ ...INCREMENTS, clients: 4 }, cluster, ['acceptor-1'], OPTIONS);
  expect([before, stopped].map(([seen]) => (seen?.writes ?? 0) > 0)).toEqual([true, true]);
  await expect(cluster.processes.act('pause', 'acceptor-1')).resolves.toBeUndefined();
  await cluster.processes.act('resume', 'acceptor-1');
});
