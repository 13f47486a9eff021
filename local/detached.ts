import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { ask } from './control-socket.js';
import type { Layout } from './layout.js';
import { makeFolder, sayWhy, Trouble, unwritable } from './trouble.js';

const POLL_MS = 100;
const PING_TIMEOUT_MS = 5_000;

/**
 * Starts the supervisor in a session of its own, waits until the cluster is ready, and prints what the supervisor said until then.
 * Resolves with the exit code: the supervisor's where it did not come up. Throws {@link Trouble} where nothing can be written.
 *
 * @param args of the supervisor, the program first
 */
export async function runDetached(layout: Layout, args: readonly string[]): Promise<number> {
  makeFolder(layout.logs);
  const file = path.join(layout.logs, 'supervisor.log');
  const log = opened(file);
  const start = statSync(file).size;
  const supervisor = spawn(process.execPath, args, { detached: true, stdio: ['ignore', log, log] });
  closeSync(log);

  let exitCode: number | undefined;
  supervisor.once('exit', (code) => (exitCode = code ?? 1));
  // It hears nothing of the terminal: who gives up waiting gives up the cluster.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => supervisor.kill('SIGTERM'));
  while (exitCode === undefined && !(await isReady(layout, supervisor.pid))) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  supervisor.unref();

  const said = readFileSync(file).subarray(start);
  if (exitCode !== undefined && said.length === 0)
    throw new Trouble(`the cluster did not start (exit code ${exitCode}), and why could not be written into ${file}: is the disk full?`);
  (exitCode === undefined ? process.stdout : process.stderr).write(said);
  return exitCode ?? 0;
}

function opened(file: string): number {
  try {
    return openSync(file, 'a');
  } catch (error) {
    throw unwritable(`write ${file}`, sayWhy(error));
  }
}

/** Ready, and this very supervisor: another may hold the folder while ours is about to say so. */
async function isReady({ socket }: Layout, pid: number | undefined): Promise<boolean> {
  const reply = await ask(socket, { action: 'ping' }, PING_TIMEOUT_MS);
  return reply?.message === `ready ${pid ?? ''}`;
}
