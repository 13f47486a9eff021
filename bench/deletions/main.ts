import { writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { Progress } from '../../node-control/terminal/progress.js';
import { measureDeletions } from './measure.js';
import { table } from './table.js';

/** What a shell reports of a program that SIGINT ended. */
const INTERRUPTED = 130;

const program = new Command('npm run bench:deletions --')
  .description(
    'Creates and deletes the same keys again and again, on a cluster of its own, while what was deleted is collected: shows whether the memory and the files of the acceptors stay as they are. Ends by itself.',
  )
  .option('--operations <N>', 'creates and deletes', count, 1_000_000)
  .option('--keys <N>', 'how many keys there are', count, 1_000)
  .option('--clients <N>', 'clients that do it', count, 64)
  .option('--collect-every <SECONDS>', 'from the end of a collection to the next one', count, 5)
  .option('--minutes <N>', 'after which it ends although not all is done', count, 25)
  .option('--stretches <N>', 'lines of the table', count, 10)
  .option('--json <FILE>', 'write the figures to a file, too')
  .parse();
const options = program.opts<{
  operations: number;
  keys: number;
  clients: number;
  collectEvery: number;
  minutes: number;
  stretches: number;
  json?: string;
}>();

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
const progress = new Progress(process.stderr);

try {
  const { operations, keys, clients, stretches } = options;
  const figures = await measureDeletions({
    ...{ operations, keys, clients, stretches },
    collectEveryMs: options.collectEvery * 1_000,
    timeLimitMs: options.minutes * 60_000,
    progress: (text, fraction) => progress.show(text, fraction),
    signal: stop.signal,
  });
  progress.end();
  for (const line of table(figures)) process.stdout.write(`${line}\n`);
  if (options.json) writeFileSync(options.json, `${JSON.stringify(figures, null, 2)}\n`);
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
