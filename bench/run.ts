import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ALL_CASES, caseName, GOAL_CASES, INCREMENTS, type PlannedCase, READS } from './cases.js';
import {
  etcdRoles,
  type NodeFault,
  measurePauses,
  measureStopped,
  named,
  NO_NODE,
  type PauseFigures,
  type StoppedFigures,
} from './faults.js';
import { describeMachine, findVersions, type Versions } from './machine.js';
import { measureKeys } from './million-keys.js';
import { measurePage } from './page-cost.js';
import { measureWan } from './wan.js';
import type { Results } from './results.js';
import { type CaseFigures, fill, measureCase, type LoadRoundOptions } from './rounds.js';
import { BenchCluster } from './systems/cluster.js';
import { Etcd } from './systems/etcd.js';
import { startExpress, startRedis } from './systems/floors.js';
import type { System } from './systems/system.js';
import { startZooKeeper } from './systems/zookeeper.js';

/** `goals`: what the table of goals needs, but for the million keys and the page. */
export const PARTS = ['goals', 'cases', 'faults', 'wan', 'keys', 'page'] as const;
export type Part = (typeof PARTS)[number];

export interface BenchRunOptions extends LoadRoundOptions {
  /** The program, by its path or its name. */
  readonly etcd: string;
  /** The folder of its jars. */
  readonly zookeeper: string | undefined;
  /** The folder of another build, to compare this one with and with nothing else. */
  readonly against: string | undefined;
  /** What is measured; all of it where it is undefined. */
  readonly only: Part | undefined;
  /** How many keys one proposer is given. */
  readonly many: number;
  /** In place of those that the part has. */
  readonly cases: readonly PlannedCase[] | undefined;
}

const FAULTS: readonly NodeFault[] = ['none', 'kill', 'pause'];
const BRIEF_FAULTS: readonly NodeFault[] = ['kill', 'pause'];

/** Starts what it measures, and removes it again. */
export async function runAll(options: BenchRunOptions): Promise<Results> {
  const { only, rounds, seconds } = options;
  const versions = findVersions(options);
  options.progress('measuring the disk');
  const machine = await describeMachine();
  const isAlone = only === 'wan' || only === 'keys' || only === 'page';
  const beside = isAlone ? { cases: [], pauses: [], stopped: [] } : await runBeside(options, versions);
  const wan = only === undefined || only === 'wan' ? { wan: await measureWan(options) } : {};
  const keys = only === undefined || only === 'keys' ? { keys: await measureKeys(options.many, options) } : {};
  const page = only === undefined || only === 'page' ? { page: await measurePage(options) } : {};
  return { machine, versions, rounds, seconds, ...beside, ...wan, ...keys, ...page };
}

/** What is measured beside others. */
async function runBeside(options: BenchRunOptions, versions: Versions): Promise<Pick<Results, 'cases' | 'pauses' | 'stopped'>> {
  const { only, node, progress, signal, against } = options;
  const systems: System[] = [];
  const started = async <Kind extends System>(system: Promise<Kind>): Promise<Kind> => {
    systems.push(await system);
    signal.throwIfAborted();
    return system;
  };
  try {
    progress('starting');
    const cluster = await started(BenchCluster.startConfigured(node));
    if (against !== undefined) {
      await started(startBuild(against, node));
      return { cases: await runCases(systems, options), pauses: [], stopped: [] };
    }
    systems.push(withAffinity(cluster));
    const etcd = versions.etcd === undefined ? undefined : await started(Etcd.start(options.etcd));
    if (versions.zookeeper !== undefined && options.zookeeper !== undefined) await started(startZooKeeper(options.zookeeper));
    await started(startExpress(node));
    await started(startRedis());
    const cases = only === 'faults' ? [] : await runCases(systems, options);
    const faults = only === 'cases' ? { pauses: [], stopped: [] } : await runFaults(cluster, etcd, options);
    return { cases, ...faults };
  } finally {
    progress('removing what was started');
    for (const system of systems) await system.stop();
  }
}

/** The cluster of another checkout, by the program of that one. The load is this one's. */
async function startBuild(folder: string, node: string): Promise<System> {
  const program = path.resolve(folder, 'dist/bench/systems/cluster.js');
  if (!existsSync(program)) throw new Error(`--against ${folder}: there is no build in it (npm ci && npm run build)`);
  const other = (await import(pathToFileURL(program).href)) as { BenchCluster: typeof BenchCluster };
  const cluster = await other.BenchCluster.startConfigured(node);
  const { protocol, addresses, processes } = cluster;
  return { name: 'before', protocol, addresses, processes, stop: () => cluster.stop() };
}

function withAffinity({ protocol, addresses, processes }: BenchCluster): System {
  return { name: 'affinity', protocol, addresses, processes, stop: () => Promise.resolve() };
}

async function runCases(systems: readonly System[], options: BenchRunOptions): Promise<CaseFigures[]> {
  const cases: CaseFigures[] = [];
  const filled = new Set<string>();
  const isPair = options.against !== undefined;
  for (const { of, systems: names } of options.cases ?? (isPair || options.only === 'goals' ? GOAL_CASES : ALL_CASES)) {
    const beside = isPair ? systems : systems.filter(({ name }) => names.includes(name));
    const told = { ...options, progress: (text: string) => options.progress(`${caseName(of)}: ${text}`) };
    const empty = beside.filter(({ name }) => !filled.has(`${name} ${of.padding} ${of.keys}`));
    await fill(of, empty, told);
    for (const { name } of empty) filled.add(`${name} ${of.padding} ${of.keys}`);
    cases.push(await measureCase(of, beside, told));
  }
  return cases;
}

async function runFaults(
  cluster: BenchCluster,
  etcd: Etcd | undefined,
  options: BenchRunOptions,
): Promise<{ pauses: PauseFigures[]; stopped: StoppedFigures[] }> {
  const isBrief = options.only === 'goals';
  const nodes = Object.keys(cluster.processes.pids);
  const acceptors = nodes.filter((name) => name.startsWith('acceptor'));
  const stopped: StoppedFigures[] = [];
  await fill(READS, [cluster], options);
  // Reads first: what is written while an acceptor is stopped rests on two, and a read of it needs a round when one of these is stopped then.
  for (const of of [READS, INCREMENTS]) stopped.push(await measureStopped(of, cluster, acceptors, options));
  const pauses: PauseFigures[] = [];
  for (const fault of isBrief ? BRIEF_FAULTS : FAULTS) {
    const [ours, theirs] = fault === 'none' ? [NO_NODE, NO_NODE] : [named(isBrief ? acceptors : nodes), etcd && etcdRoles(etcd)];
    pauses.push(...(await measurePauses(cluster, fault, ours, options)));
    if (etcd && theirs) pauses.push(...(await measurePauses(etcd.withAllNodes(), fault, theirs, options)));
  }
  return { pauses, stopped };
}
