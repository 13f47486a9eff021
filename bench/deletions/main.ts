import { Command } from 'commander';
import { fileToWrite } from '../../node-control/terminal/file-argument.js';
import { count, tellFigures } from '../figures-program.js';
import { type DeletionsOptions, measureDeletions } from './measure.js';
import { table } from './table.js';

const { collectEvery, minutes, json, ...options } = new Command('npm run bench:deletions --')
  .description(
    'Creates and deletes the same keys again and again, on a cluster of its own, while what was deleted is collected: shows whether the memory and the files of the acceptors stay as they are. Ends by itself.',
  )
  .option('--operations <N>', 'creates and deletes', count, 1_000_000)
  .option('--keys <N>', 'how many keys there are', count, 1_000)
  .option('--clients <N>', 'clients that do it', count, 64)
  .option('--collect-every <SECONDS>', 'from the end of a collection to the next one', count, 5)
  .option('--minutes <N>', 'after which it ends although not all is done', count, 25)
  .option('--stretches <N>', 'lines of the table', count, 10)
  .option('--json <FILE>', 'write the figures to a file, too', fileToWrite)
  .parse()
  .opts<
    Pick<DeletionsOptions, 'operations' | 'keys' | 'clients' | 'stretches'> & { collectEvery: number; minutes: number; json?: string }
  >();

await tellFigures(
  ({ signal, progress }) =>
    measureDeletions({
      ...options,
      signal,
      collectEveryMs: collectEvery * 1_000,
      timeLimitMs: minutes * 60_000,
      progress: (text, fraction) => progress.show(text, fraction),
    }),
  table,
  json,
);
