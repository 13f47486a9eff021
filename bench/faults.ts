import { setTimeout as sleep } from 'node:timers/promises';
import { type Case, INCREMENTS } from './cases.js';
import { LoadProcess } from './load/process.js';
import type { Seen } from './load/load.js';
import { jobFor, type LoadRoundOptions } from './rounds.js';
import type { Etcd } from './systems/etcd.js';
import type { System, SystemName } from './systems/system.js';

/** `kill`: SIGKILL; `pause`: SIGSTOP, its connections stay open; `none`: what there is to see when nothing is broken. */
export type NodeFault = 'kill' | 'pause' | 'none';

/** The longest that any client waited until it was served, for each time that a node was broken. */
export interface PauseFigures {
  readonly system: SystemName;
  /** The node, or its role. */
  readonly node: string;
  readonly fault: NodeFault;
  readonly pausesMs: readonly number[];
}

/** Neighbouring stretches with all acceptors, and with one of them stopped. */
export interface StoppedFigures {
  readonly of: Case;
  readonly before: readonly Seen[];
  readonly stopped: readonly Seen[];
}

/** Few enough that what a client waits for is the node that is gone, and not the processor. */
const CLIENTS = 8;
/** At least so long after a fault, and on until nobody waits any more. */
const WATCH_MS = 2_000;
const WATCH_MAX_MS = 20_000;
const LOOK_EVERY_MS = 500;
/** Whoever waits for less than this no longer waits for the fault. */
const SERVED_MS = 400;
const SETTLE_MS = 1_500;

/** Breaks each kind of node several times, while clients turn to another node with what is not served. */
export async function measurePauses(
  system: System,
  fault: NodeFault,
  nodes: Nodes,
  { node: binary, rounds, warmUpSeconds, progress, signal }: LoadRoundOptions,
): Promise<PauseFigures[]> {
  const load = await LoadProcess.start(binary, jobFor({ ...INCREMENTS, clients: CLIENTS }, system, true));
  try {
    await sleep(warmUpSeconds * 1_000, undefined, { signal });
    const figures: Record<string, number[]> = {};
    for (let round = 1; round <= rounds; round += 1) {
      for (const [label, choose] of Object.entries(nodes)) {
        progress(`${fault} ${label}, round ${round} of ${rounds}`);
        const name = await choose();
        await load.look();
        if (fault !== 'none') await system.processes.act(fault, name);
        (figures[label] ??= []).push(await longestPause(load, signal));
        if (fault !== 'none') await system.processes.act(fault === 'kill' ? 'start' : 'resume', name);
        await sleep(SETTLE_MS, undefined, { signal });
      }
    }
    await load.stop();
    return Object.entries(figures).map(([node, pausesMs]) => ({ system: system.name, node, fault, pausesMs }));
  } finally {
    load.kill();
  }
}

async function longestPause(load: LoadProcess, signal: AbortSignal): Promise<number> {
  const sinceMs = performance.now();
  let longestMs = 0;
  for (;;) {
    await sleep(LOOK_EVERY_MS, undefined, { signal });
    const { seen } = await load.look();
    longestMs = Math.max(longestMs, seen.operations.longestMs);
    const passedMs = performance.now() - sinceMs;
    if (passedMs >= WATCH_MAX_MS || (passedMs >= WATCH_MS && seen.operations.longestMs < SERVED_MS)) return longestMs;
  }
}

/** How to find each node or role when its turn comes. */
type Nodes = Readonly<Record<string, () => Promise<string>>>;

export const NO_NODE: Nodes = { '-': () => Promise.resolve('') };

/** The nodes of this cluster, by their names. */
export function named(names: readonly string[]): Nodes {
  return Object.fromEntries(names.map((name) => [name, () => Promise.resolve(name)]));
}

/** Who leads changes with every fault. */
export function etcdRoles(etcd: Etcd): Nodes {
  return { leader: async () => (await etcd.roles()).leader, follower: async () => (await etcd.roles()).follower };
}

/** Stops one node after the other, and compares with what was just before. @param names of nodes */
export async function measureStopped(
  of: Case,
  system: System,
  names: readonly string[],
  { node: binary, rounds, seconds, warmUpSeconds, progress, signal }: LoadRoundOptions,
): Promise<StoppedFigures> {
  const load = await LoadProcess.start(binary, jobFor(of, system));
  const stretch = async (): Promise<Seen> => {
    await sleep(seconds * 1_000, undefined, { signal });
    return (await load.look()).seen;
  };
  const [before, stopped]: [Seen[], Seen[]] = [[], []];
  try {
    await sleep(warmUpSeconds * 1_000, undefined, { signal });
    for (let round = 0; round < rounds; round += 1) {
      const name = names[round % names.length] ?? '';
      progress(`SIGSTOP of ${name}, round ${round + 1} of ${rounds}`);
      await load.look();
      before.push(await stretch());
      await system.processes.act('pause', name);
      stopped.push(await stretch());
      await system.processes.act('resume', name);
      await sleep(SETTLE_MS, undefined, { signal });
    }
    await load.stop();
    return { of, before, stopped };
  } finally {
    load.kill();
  }
}
