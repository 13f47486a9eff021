import { setTimeout as sleep } from 'node:timers/promises';
import { type Case, SHARE_OF_READS } from './cases.js';
import { cpuMs, writeCalls } from './cpu.js';
import type { Job } from './load/job.js';
import { LoadProcess } from './load/process.js';
import type { Seen } from './load/load.js';
import type { System, SystemName } from './systems/system.js';

/** One system under one case for some seconds. */
export interface Round {
  readonly seen: Seen;
  /** Of each kind of server: of all acceptors, say. */
  readonly cpuMs: Readonly<Record<string, number>>;
  /** System calls that write, of each kind of server. */
  readonly writes: Readonly<Record<string, number>>;
  readonly loadCpuMs: number;
}

export interface CaseFigures {
  readonly of: Case;
  /** Rounds with the same index are neighbours. */
  readonly rounds: Readonly<Partial<Record<SystemName, readonly Round[]>>>;
}

export interface LoadRoundOptions {
  /** The binary that runs the load. */
  readonly node: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly progress: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Whom the load goes to. */
export type Target = Pick<System, 'name' | 'protocol' | 'addresses' | 'processes'>;

/** Every system in turn, and that several times over. */
export async function measureCase(of: Case, systems: readonly System[], options: LoadRoundOptions): Promise<CaseFigures> {
  const rounds: Partial<Record<SystemName, Round[]>> = {};
  for (let number = 1; number <= options.rounds; number += 1) {
    for (const system of systems) {
      options.progress(`round ${number} of ${options.rounds}, ${system.name}`);
      (rounds[system.name] ??= []).push(await measureRound(of, system, options));
    }
  }
  return { of, rounds };
}

export async function measureRound(of: Case, system: Target, options: LoadRoundOptions): Promise<Round> {
  const { node, warmUpSeconds, signal } = options;
  const load = await LoadProcess.start(node, jobFor(of, system));
  try {
    await sleep(warmUpSeconds * 1_000, undefined, { signal });
    const round = await measureStretch(load, system, options);
    await load.stop();
    return round;
  } finally {
    load.kill();
  }
}

/** From now on, of a load that runs and goes on. */
export async function measureStretch(
  load: LoadProcess,
  system: Target,
  { seconds, signal }: Pick<LoadRoundOptions, 'seconds' | 'signal'>,
): Promise<Round> {
  const before = await load.look();
  const [cpuBefore, writesBefore] = [byKind(system, cpuMs), byKind(system, writeCalls)];
  await sleep(seconds * 1_000, undefined, { signal });
  const after = await load.look();
  const since = (figures: Record<string, number>, earlier: Record<string, number>): Record<string, number> =>
    Object.fromEntries(Object.entries(figures).map(([kind, figure]) => [kind, figure - (earlier[kind] ?? 0)]));
  return {
    seen: after.seen,
    cpuMs: since(byKind(system, cpuMs), cpuBefore),
    writes: since(byKind(system, writeCalls), writesBefore),
    loadCpuMs: after.cpuMs - before.cpuMs,
  };
}

/** Servers are named by their kind and a number. */
function byKind({ processes }: Target, figureOf: (pid: number) => number): Record<string, number> {
  const kinds: Record<string, number> = {};
  for (const [name, pid] of Object.entries(processes.pids)) {
    const kind = name.replace(/-\d+$/, '');
    kinds[kind] = (kinds[kind] ?? 0) + figureOf(pid);
  }
  return kinds;
}

const FILLERS = 64;

/** Gives every key a value, so that reads have something to read. */
export async function fill(of: Case, systems: readonly System[], { node, progress, signal }: LoadRoundOptions): Promise<void> {
  for (const system of systems) {
    progress(`writing the keys, ${system.name}`);
    signal.throwIfAborted();
    await LoadProcess.fill(node, { ...jobFor(of, system), clients: FILLERS, fillsOnly: true });
  }
}

/** @param fallsOver as {@link Job} has it */
export function jobFor({ mix, clients, keys, padding }: Case, { name, protocol, addresses }: Target, fallsOver = false): Job {
  const keyPrefix = padding === 0 ? 'small-' : `padded-${padding}-`;
  const shareOfReads = SHARE_OF_READS[mix];
  const affinity = name === 'affinity';
  return {
    ...{ protocol, addresses, clients, keys, keyPrefix, firstKey: 1, padding, shareOfReads, fallsOver, affinity },
    adds: mix === 'adds',
    fillsOnly: false,
  };
}
