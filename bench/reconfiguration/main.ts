import { writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { Progress } from '../../node-control/terminal/progress.js';
import { measureMigration, type MigrationFigures } from './migration-figures.js';
import { measureRescan, type RescanFigures } from './rescan-figures.js';
import { table } from './table.js';

/** What a shell reports of a program that SIGINT ended. */
const INTERRUPTED = 130;

const program = new Command('npm run bench:reconfiguration --')
  .description('Measures rescans of many keys, and a whole migration under load, on a cluster of its own. Ends by itself.')
  .option('--keys <LIST>', 'how many keys are rescanned, for each run', counts, [100_000, 1_000_000])
  .option('--seconds <N>', 'how long each measurement beside a rescan takes', count, 10)
  .option('--clients <N>', 'clients that work meanwhile', count, 64)
  .option('--json <FILE>', 'write the figures to a file, too')
  .parse();
const options = program.opts<{ keys: number[]; seconds: number; clients: number; json?: string }>();

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
const progress = new Progress(process.stderr);
const show = (text: string): void => progress.show(text);
const common = { clients: options.clients, seconds: options.seconds, signal: stop.signal };

try {
  const rescans: RescanFigures[] = [];
  for (const keys of options.keys) {
    rescans.push(await measureRescan(keys, { ...common, progress: (text) => show(`${keys} keys: ${text}`) }));
  }
  const migration: MigrationFigures = await measureMigration({ ...common, progress: (text) => show(`migration: ${text}`) });
  progress.end();
  for (const line of table(rescans, migration)) process.stdout.write(`${line}\n`);
  if (options.json) writeFileSync(options.json, `${JSON.stringify({ rescans, migration }, null, 2)}\n`);
} catch (error) {
  progress.end();
  if (!stop.signal.aborted) throw error;
  process.exitCode = INTERRUPTED;
}
// Connections that are kept would hold the program.
process.exit();

function count(text: string): number {
  if (!/^[1-9]\d{0,7}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return Number(text);
}

function counts(text: string): number[] {
  return text.split(',').map(count);
}
