import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { carryOut } from '../../node-control/commands/carry-out.js';
import { parse } from '../../node-control/safety/typed-step.js';
import { KeyValueClient } from '../../src/http/client.js';
import { NODE_FLAGS } from '../../local/nodes.js';
import { BenchCluster } from '../systems/cluster.js';
import { fill, keyNumber } from './fill.js';
import { Load, type Seen } from '../load/load.js';
import { proposerStores } from '../load/stores.js';
import { MemoryWatch, residentMib } from '../memory.js';

/** Keys that clients work on; the rescan comes to these as well. */
const CLIENT_KEYS = 10_000;
/** How long the clients warm up before anything is measured. */
const WARM_UP_MS = 2_000;

export interface RescanFigures {
  readonly keys: number;
  readonly seconds: number;
  readonly keysPerSecond: number;
  /** The same by rounds in place of copies, beside the same clients. */
  readonly byRounds: { readonly keysPerSecond: number; readonly clientsKept: number };
  /** The one over the other. */
  readonly timesAsFastAsRounds: number;
  /** By rounds, without clients. */
  readonly quietKeysPerSecond: number;
  /** One key after the other, read and written back through the public interface, without clients. */
  readonly oneAtATimePerSecond: number;
  /** The former over the latter, both without clients. */
  readonly timesAsFast: number;
  readonly clientsBefore: Seen;
  readonly clientsMeanwhile: Seen;
  readonly clientsKept: number;
  /** Peaks above idle, in MiB, by program. */
  readonly memoryAboveIdle: Readonly<Record<string, number>>;
}

export interface BenchOptions {
  readonly clients: number;
  /** Of each measurement beside the rescan. */
  readonly seconds: number;
  readonly progress: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Growing by one acceptor, beside clients: from one to two, as in the README, or from two to three. @param from how many hold the keys before */
export async function measureRescan(
  keys: number,
  from: number,
  { clients, seconds, progress, signal }: BenchOptions,
): Promise<RescanFigures> {
  const cluster = await BenchCluster.start();
  let load: Load | undefined;
  try {
    const holders = cluster.acceptors.slice(0, from);
    const newcomer = cluster.acceptors[from] ?? '';
    await carryOut(parse(`resize ${holders.join(',')}`), cluster.control);
    for (const holder of holders)
      await fill(cluster.addressOf(holder), keys, (done) => progress(`filling: ${done} of ${keys} keys`), signal);
    const idle: Record<string, number> = { control: await idleControl(cluster) };
    for (const name of cluster.proposers) idle[name] = await residentMib(cluster.pidOf(name));
    await carryOut(parse(`add-accept all ${newcomer} 2`), cluster.control);

    const { addresses } = cluster;
    const oneAtATimePerSecond = await oneAtATime(addresses[0] ?? '', keys, seconds, progress, signal);
    // From one as the README types it; from two as refusals and `resize` name it: any one of those that hold everything.
    const listed = from === 1 ? [...holders, newcomer] : holders.slice(0, 1);
    const rescanAll = (...option: string[]): ReturnType<typeof rescanProgram> =>
      rescanProgram(cluster, [listed.join(','), String(listed.length), ...option], progress, signal);

    const step = keys / Math.min(keys, CLIENT_KEYS);
    const clientKeys = Array.from({ length: Math.min(keys, CLIENT_KEYS) }, (_, index) => keyNumber(Math.floor(index * step)));
    load = new Load({ stores: proposerStores(addresses), keys: clientKeys, clients });
    progress(`${clients} clients for ${seconds} s`);
    await sleep(WARM_UP_MS, undefined, { signal });
    load.look();
    await sleep(seconds * 1_000, undefined, { signal });
    const clientsBefore = load.look();

    // First by copying, while the newcomer holds nothing yet.
    const copied = await rescanAll();
    const clientsMeanwhile = load.look();
    const rounds = await rescanAll('--by-rounds');
    const clientsBesideRounds = load.look();
    await load.stop();
    const quiet = await rescanAll('--by-rounds');
    const perSecond = (ms: number): number => keys / (ms / 1_000);
    const [keysPerSecond, quietKeysPerSecond] = [perSecond(copied.milliseconds), perSecond(quiet.milliseconds)];
    const rate = ({ requests, seconds: long }: Seen): number => requests.count / long;
    const above = (name: string): number => Math.max(...[copied, rounds, quiet].map(({ peaks }) => peaks[name] ?? 0)) - (idle[name] ?? 0);
    return {
      keys,
      seconds: copied.milliseconds / 1_000,
      keysPerSecond,
      quietKeysPerSecond,
      oneAtATimePerSecond,
      clientsBefore,
      clientsMeanwhile,
      byRounds: { keysPerSecond: perSecond(rounds.milliseconds), clientsKept: rate(clientsBesideRounds) / rate(clientsBefore) },
      timesAsFastAsRounds: rounds.milliseconds / copied.milliseconds,
      timesAsFast: quietKeysPerSecond / oneAtATimePerSecond,
      clientsKept: rate(clientsMeanwhile) / rate(clientsBefore),
      memoryAboveIdle: Object.fromEntries(Object.keys(idle).map((name) => [name, above(name)])),
    };
  } finally {
    await load?.stop();
    await cluster.stop();
  }
}

/** What an operator without a rescan would do: read each key, and write back what it holds. */
async function oneAtATime(
  address: string,
  keys: number,
  seconds: number,
  progress: (text: string) => void,
  signal: AbortSignal,
): Promise<number> {
  const client = new KeyValueClient(address);
  const startMs = performance.now();
  let done = 0;
  try {
    while (performance.now() - startMs < seconds * 1_000 && done < keys) {
      signal.throwIfAborted();
      const key = keyNumber(done);
      const read = await client.get(key);
      if (read.ok) await client.put(key, read.body.ver, read.body.val);
      done += 1;
      if (done % 100 === 0) progress(`one key at a time: ${done} keys`);
    }
    return done / ((performance.now() - startMs) / 1_000);
  } finally {
    await client.close();
  }
}

/** The memory of the program when it has done next to nothing. */
async function idleControl(cluster: BenchCluster): Promise<number> {
  const peaks = await controlProgram(cluster, ['status'], () => undefined, new AbortController().signal);
  return peaks['control'] ?? 0;
}

async function rescanProgram(
  cluster: BenchCluster,
  args: readonly string[],
  progress: (text: string) => void,
  signal: AbortSignal,
): Promise<{ milliseconds: number; peaks: Record<string, number> }> {
  const startMs = performance.now();
  const peaks = await controlProgram(cluster, ['rescan', ...args], progress, signal);
  return { milliseconds: performance.now() - startMs, peaks };
}

async function controlProgram(
  cluster: BenchCluster,
  args: readonly string[],
  progress: (text: string) => void,
  signal: AbortSignal,
): Promise<Record<string, number>> {
  // It says itself what it had at most: between two looks from outside a short-lived program would be missed.
  const report = 'process.on("exit", () => process.stderr.write(`peak ${process.resourceUsage().maxRSS}\\n`))';
  const preload = `data:text/javascript,${encodeURIComponent(report)}`;
  const program = path.join(cluster.processes.root, 'dist/node-control/main.js');
  const child = spawn(process.execPath, [...NODE_FLAGS, '--import', preload, program, ...args], {
    env: cluster.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const watch = new MemoryWatch(Object.fromEntries(cluster.proposers.map((name) => [name, cluster.pidOf(name)])));
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-10_000);
      progress(`rescan: ${chunk.toString().trim().split('\n').at(-1) ?? ''}`);
    });
  }
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    signal.throwIfAborted();
    if (code !== 0) throw new Error(`${args.join(' ')} failed (${code ?? 'killed'}): ${output}`);
    const peak = /^peak (\d+)$/m.exec(output)?.[1];
    return { control: Number(peak ?? 0) / 1024, ...(await watch.stop()) };
  } finally {
    signal.removeEventListener('abort', kill);
    await watch.stop();
  }
}
