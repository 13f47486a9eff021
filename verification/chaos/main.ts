import { rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';
import { aborted } from '../../client/within.js';
import { lockFolder } from '../../src/node/folder-lock.js';
import { systemTime } from '../../src/store/system-time.js';
import type { ChaosCluster } from './cluster.js';
import { DockerCluster } from './docker-cluster.js';
import { LocalCluster } from './local-cluster.js';
import { configure, run } from './run.js';
import { endPrograms } from './script.js';
import { settingsFrom } from './settings.js';

/** What a shell reports of a program that a signal ended. */
const SIGNALLED = 128;

const settings = settingsFrom(process.argv.slice(2));
const lockFile = path.join(tmpdir(), `caspaxos-chaos-${process.getuid?.() ?? 0}-${settings.mode}.lock`);
/** The first signal ends the run with its verdict; the second, or one before the run has begun, leaves it at once. */
const stop = new AbortController();
const leave = new AbortController();
let signalled = 0;
let hasBegun = false;

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const isColoured = process.stdout.isTTY && !process.env['NO_COLOR'];
const alarm = (text: string): string => (isColoured ? `\u001b[1;31m${text}\u001b[0m` : text);

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interrupt(SIGNALLED + constants.signals[signal]));
}
// Whoever read the output has gone (`| head`).
process.stdout.on('error', () => {
  hasBegun = false;
  interrupt(SIGNALLED + constants.signals.SIGPIPE);
});
process.stderr.on('error', () => undefined);

function interrupt(code: number): void {
  signalled ||= code;
  if (stop.signal.aborted || !hasBegun) leave.abort();
  stop.abort();
}

/** One run of a kind at a time: a second one would take the cluster of the first for the leftovers of a crash. */
async function lock(): Promise<void> {
  try {
    (await lockFolder(lockFile)).unref();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`A chaos run (${settings.mode}) is under way already, or ${lockFile} cannot be used: ${reason}`, { cause: error });
  }
}

async function startAndRun(cluster: ChaosCluster): Promise<boolean> {
  print(`Chaos: ${settings.mode}, ${settings.durationMs / 60_000} minutes, seed ${settings.seed}. Starting a cluster of its own.`);
  await cluster.start();
  for (const line of cluster.omissions) print(line);
  await configure(cluster, systemTime);
  if (stop.signal.aborted) return false;
  hasBegun = true;
  return run(settings, cluster, systemTime, { print, alarm }, stop);
}

/** Returns the exit code. */
async function main(): Promise<number> {
  await lock();
  const cluster = settings.mode === 'docker' ? await DockerCluster.prepare() : await LocalCluster.prepare();
  try {
    const isInOrder = startAndRun(cluster);
    // Where it is left behind, what becomes of it is of no interest.
    isInOrder.catch(() => undefined);
    await Promise.race([isInOrder, aborted(leave.signal)]);
    if (leave.signal.aborted) return signalled;
    return (await isInOrder) ? 0 : 1;
  } finally {
    print('Removing what was started');
    endPrograms();
    await cluster.remove();
    rmSync(lockFile, { force: true });
  }
}

try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
