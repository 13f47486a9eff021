import { writeFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { Progress } from '../node-control/terminal/progress.js';

/** What a shell reports of a program that SIGINT ended. */
const INTERRUPTED = 130;

/** How a measurement is told that it is to end, and tells how far it is. */
export interface Watching {
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/**
 * Takes figures, prints them as a table, and ends the program: connections that are kept would hold it. A signal ends the measurement first.
 * @param json a file for the figures, if they are to be written to one
 */
export async function tellFigures<Figures>(
  measure: (watching: Watching) => Promise<Figures>,
  table: (figures: Figures) => readonly string[],
  json: string | undefined,
): Promise<never> {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
  const progress = new Progress(process.stderr);
  try {
    const figures = await measure({ signal: stop.signal, progress });
    progress.end();
    for (const line of table(figures)) process.stdout.write(`${line}\n`);
    if (json) writeFileSync(json, `${JSON.stringify(figures, null, 2)}\n`);
  } catch (error) {
    progress.end();
    process.exitCode = stop.signal.aborted ? INTERRUPTED : 1;
    if (!stop.signal.aborted) process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  }
  process.exit();
}

/** An option that counts something. Throws `InvalidArgumentError` for all but a whole number from 1 on. */
export function count(text: string): number {
  if (!/^[1-9]\d{0,7}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return Number(text);
}

/** Several of them, with commas between. */
export function counts(text: string): number[] {
  return text.split(',').map(count);
}
