import { type Case, caseName, GOAL_CASES, INCREMENTS } from './cases.js';
import { etcdRoles, measurePauses, measureStopped, named } from './faults.js';
import { describeMachine, findVersions } from './machine.js';
import type { Results } from './results.js';
import { fill, measureCase, type RoundOptions } from './rounds.js';
import { BenchCluster } from './systems/cluster.js';
import { Etcd } from './systems/etcd.js';
import { startExpress, startRedis } from './systems/floors.js';
import type { System, SystemName } from './systems/system.js';

export const PARTS = ['goals'] as const;
export type Part = (typeof PARTS)[number];

export interface RunOptions extends RoundOptions {
  readonly etcd: string;
}

/** Starts what it measures, and removes it again. */
export async function runAll(options: RunOptions, only: Part | undefined): Promise<Results> {
  const versions = findVersions(options.node, options.etcd);
  options.progress('the disk');
  const machine = await describeMachine();
  const systems: System[] = [];
  const started = async <Kind extends System>(system: Promise<Kind>): Promise<Kind> => {
    systems.push(await system);
    options.signal.throwIfAborted();
    return system;
  };
  try {
    options.progress('starting');
    const cluster = await started(BenchCluster.startConfigured(options.node));
    const etcd = versions.etcd === undefined ? undefined : await started(Etcd.start(options.etcd));
    await started(startExpress(options.node));
    if (only !== 'goals') await started(startRedis());

    const matrix: ReadonlyMap<Case, readonly SystemName[]> = GOAL_CASES;
    const cases = [];
    for (const [of, names] of matrix) {
      const against = systems.filter(({ name }) => names.includes(name));
      const told = { ...options, progress: (text: string) => options.progress(`${caseName(of)}: ${text}`) };
      told.progress('filling');
      await fill(of, against, options.node);
      cases.push(await measureCase(of, against, told));
    }
    const acceptors = Object.keys(cluster.processes.pids).filter((name) => name.startsWith('acceptor'));
    const stopped = [await measureStopped(INCREMENTS, cluster, acceptors, options)];
    const pauses = await measurePauses(cluster, 'kill', named(Object.keys(cluster.processes.pids)), options);
    if (etcd) pauses.push(...(await measurePauses(etcd, 'kill', etcdRoles(etcd), options)));
    return { machine, versions, rounds: options.rounds, seconds: options.seconds, cases, pauses, stopped };
  } finally {
    options.progress('removing what was started');
    for (const system of systems) await system.stop();
  }
}
