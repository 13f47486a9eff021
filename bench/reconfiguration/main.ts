import { Command, InvalidArgumentError } from 'commander';
import { fileToWrite } from '../../node-control/terminal/file-argument.js';
import { count, counts, tellFigures } from '../figures-program.js';
import { measureMigration, type MigrationFigures } from './migration-figures.js';
import { measureRescan, type RescanFigures } from './rescan-figures.js';
import { table } from './table.js';

const program = new Command('npm run bench:reconfiguration --')
  .description('Measures rescans of many keys, and a whole migration under load, on a cluster of its own. Ends by itself.')
  .option('--keys <LIST>', 'how many keys are rescanned, for each run', counts, [100_000, 1_000_000])
  .option('--from <N>', 'how many acceptors hold the keys before there is one more: 1 or 2', oneOrTwo, 1)
  .option('--seconds <N>', 'how long each measurement beside a rescan takes', count, 10)
  .option('--clients <N>', 'clients that work meanwhile', count, 64)
  .option('--json <FILE>', 'write the figures to a file, too', fileToWrite)
  .parse();
const options = program.opts<{ keys: number[]; from: number; seconds: number; clients: number; json?: string }>();

const { from, clients, seconds } = options;
await tellFigures(
  async ({ signal, progress }) => {
    const common = { clients, seconds, signal };
    const rescans: RescanFigures[] = [];
    for (const keys of options.keys) {
      rescans.push(await measureRescan(keys, from, { ...common, progress: (text) => progress.show(`${keys} keys: ${text}`) }));
    }
    const migration: MigrationFigures = await measureMigration({ ...common, progress: (text) => progress.show(`migration: ${text}`) });
    return { rescans, migration };
  },
  ({ rescans, migration }) => table(rescans, migration),
  options.json,
);

function oneOrTwo(text: string): number {
  const number = count(text);
  if (number > 2) throw new InvalidArgumentError('It must be 1 or 2.');
  return number;
}
