import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { Progress } from '../node-control/progress.js';
import { isInMemory } from './machine.js';
import { PARTS, runAll, type Part } from './run.js';
import { tables } from './table.js';

/** What a shell reports of a program that SIGINT ended. */
const INTERRUPTED = 130;

const program = new Command('npm run bench --')
  .description('Measures this cluster beside etcd and beside what Express and Redis can do at best, on this machine, and ends by itself.')
  .addOption(new Option('--only <part>', 'a part of it').choices(PARTS))
  .option('--rounds <N>', 'how often each system has its turn', count, 5)
  .option('--seconds <N>', 'how long a turn is counted', count, 3)
  .option('--warm-up <N>', 'seconds before that, which do not count', count, 1)
  .option('--node <PATH>', 'the Node binary for the proposers, the Express floor and the load', process.execPath)
  .option('--etcd <PATH>', 'the etcd to compare with; without one it is left out', 'etcd')
  .option('--json <FILE>', 'write the figures to a file, too')
  .parse();
const options = program.opts<{ only?: Part; rounds: number; seconds: number; warmUp: number; node: string; etcd: string; json?: string }>();

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
const progress = new Progress(process.stderr);

if (await isInMemory(tmpdir())) {
  program.error(`${tmpdir()} is in memory: no write would wait for a disk. Give a folder on a disk: TMPDIR=/var/tmp npm run bench`);
}
try {
  const { warmUp: warmUpSeconds, ...rest } = options;
  const show = (text: string): void => progress.show(text);
  const results = await runAll({ ...rest, warmUpSeconds, progress: show, signal: stop.signal }, options.only);
  progress.end();
  for (const line of tables(results)) process.stdout.write(`${line}\n`);
  if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
} catch (error) {
  progress.end();
  if (!stop.signal.aborted) throw error;
  process.exitCode = INTERRUPTED;
}
// Connections that are kept would hold the program.
process.exit();

function count(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return Number(text);
}
