import { formatTable } from '../../node-control/terminal/report.js';
import type { DeletionsFigures, Stretch } from './measure.js';
import type { Occupancy } from './occupancy.js';

const MIB = 2 ** 20;

/** What the acceptors took up, a line for each stretch of the run. */
export function table({ options, stretches, collections, collected, lastCollection, left, refusals }: DeletionsFigures): string[] {
  const acceptors = Object.keys(stretches[0]?.highest ?? {});
  const proposers = Object.keys(stretches[0]?.proposersMib ?? {});
  const highest = ({ highest: by }: Stretch, of: (occupancy: Occupancy) => number, digits = 0): string => {
    const figures = acceptors.map((name) => (by[name] ? of(by[name]) : NaN));
    return each(figures, digits);
  };
  const others = Object.entries(refusals).map(([code, times]) => `${times} ${code}`);
  return [
    `${options.clients} clients, ${options.keys} keys, a collection ${options.collectEveryMs / 1_000} s after the one before. The highest of each stretch:`,
    '',
    ...formatTable([
      ['OPERATIONS', 'SECONDS', 'REGISTERS', 'MEMORY, MIB', 'FILES, MIB', 'BASE FILES, MIB', 'REWRITES', 'PROPOSERS, MIB'],
      ...stretches.map((stretch) => [
        String(stretch.operations),
        stretch.seconds.toFixed(0),
        highest(stretch, ({ registers }) => registers),
        highest(stretch, ({ memoryBytes }) => memoryBytes / MIB, 2),
        highest(stretch, ({ fileBytes }) => fileBytes / MIB, 1),
        highest(stretch, ({ baseBytes }) => baseBytes / MIB, 2),
        highest(stretch, ({ rewrites }) => rewrites),
        each(proposers.map((name) => stretch.proposersMib[name] ?? NaN)),
      ]),
    ]),
    '',
    `${collected} registers of deleted keys were removed by ${collections} collections. In the end all keys were deleted and collected: ` +
      `${each(left)} registers are left (${lastCollection}).`,
    `requests that were not done, and sent again: ${others.length === 0 ? 'none' : others.join(', ')}`,
  ];
}

function each(figures: readonly number[], digits = 0): string {
  return figures.map((figure) => figure.toFixed(digits)).join(' ');
}
