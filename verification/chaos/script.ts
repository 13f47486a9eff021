import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Finished {
  /** Of the program; 128 and more, or null, where a signal ended it. */
  readonly code: number | null;
  readonly output: string;
}

const running = new Set<ChildProcess>();

/**
 * Runs a program to its end, in a process group of its own: a Ctrl-C in the terminal is for the chaos program, which then decides.
 *
 * @param timeoutMs then it is ended, as an operator does with a command that hangs
 */
export async function runProgram(
  command: string,
  args: readonly string[],
  { cwd, env, timeoutMs }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly timeoutMs: number },
): Promise<Finished> {
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const patience = setTimeout(() => signalGroup(child, 'SIGTERM'), timeoutMs);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, output: output.trimEnd() };
  } catch (error) {
    return { code: null, output: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(patience);
    running.delete(child);
  }
}

/** Ends every program that still runs. */
export function endPrograms(): void {
  for (const child of running) signalGroup(child, 'SIGTERM');
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It ended meanwhile.
  }
}
