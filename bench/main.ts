import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Progress } from '../node-control/terminal/progress.js';
import { isInMemory } from './machine.js';
import { writeDocument } from './report/document.js';
import { linesFor } from './report/tables.js';
import { type Results, together } from './results.js';
import { runAll } from './run.js';
import { optionsFrom } from './settings.js';

/** What a shell reports of a program that SIGINT ended. */
const INTERRUPTED = 130;

const { from, json, write, ...options } = optionsFrom(process.argv.slice(2));
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
const progress = new Progress(process.stderr);

async function measure(): Promise<Results> {
  if (await isInMemory(tmpdir())) {
    throw new Error(`${tmpdir()} is in memory, no write there waits for a disk. Give a folder on a disk: TMPDIR=/var/tmp npm run bench`);
  }
  return runAll({ ...options, progress: (text) => progress.show(text), signal: stop.signal });
}

function read(files: readonly string[]): Results {
  const [first, ...others] = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Results);
  if (!first) throw new Error('--from needs a file');
  return together([first, ...others]);
}

try {
  const results = from === undefined ? await measure() : read(from);
  progress.end();
  for (const line of linesFor(results)) process.stdout.write(`${line}\n`);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`);
  if (write) await writeDocument(results);
} catch (error) {
  progress.end();
  process.exitCode = stop.signal.aborted ? INTERRUPTED : 1;
  if (!stop.signal.aborted) process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
}
// Connections that are kept would hold the program.
process.exit();
