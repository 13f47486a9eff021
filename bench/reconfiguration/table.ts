import { formatTable } from '../../node-control/terminal/report.js';
import type { Seen } from '../load/load.js';
import type { MigrationFigures } from './migration-figures.js';
import type { RescanFigures } from './rescan-figures.js';

const WITHIN_MIB = 150;

/** The figures beside what they have to be. */
export function table(rescans: readonly RescanFigures[], migration: MigrationFigures): string[] {
  const [smallest] = rescans;
  const each = (cell: (figures: RescanFigures) => string): string[] => rescans.map(cell);
  const memory = (name: string): string[] => each(({ memoryAboveIdle }) => `${Math.round(memoryAboveIdle[name] ?? 0)} MiB`);
  const names = Object.keys(smallest?.memoryAboveIdle ?? {});
  const { usual, meanwhile } = migration;
  return [
    ...formatTable([
      ['RESCAN', ...each(({ keys }) => `${keys.toLocaleString('en-US')} keys`), 'LIMIT'],
      ['time', ...each(({ seconds }) => `${seconds.toFixed(1)} s`), ''],
      ['keys per second', ...each(({ keysPerSecond }) => String(Math.round(keysPerSecond))), ''],
      [
        'time per key, against the first',
        ...each(({ keysPerSecond }) => `${((smallest?.keysPerSecond ?? 0) / keysPerSecond).toFixed(2)} times`),
        'about 1',
      ],
      ['the same by rounds', ...each(({ byRounds }) => String(Math.round(byRounds.keysPerSecond))), ''],
      ['as fast as by rounds', ...each(({ timesAsFastAsRounds }) => `${timesAsFastAsRounds.toFixed(1)} times`), 'at least 5'],
      ['by rounds, without clients', ...each(({ quietKeysPerSecond }) => String(Math.round(quietKeysPerSecond))), ''],
      ['one key at a time, without clients', ...each(({ oneAtATimePerSecond }) => String(Math.round(oneAtATimePerSecond))), ''],
      ['rounds are as fast as that', ...each(({ timesAsFast }) => `${timesAsFast.toFixed(1)} times`), 'at least 8'],
      ...names.map((name) => [`${name} above idle`, ...memory(name), `at most ${WITHIN_MIB} MiB`]),
      ['client requests per second before', ...each(({ clientsBefore }) => rate(clientsBefore)), ''],
      ['client requests per second meanwhile', ...each(({ clientsMeanwhile }) => rate(clientsMeanwhile)), ''],
      ['throughput kept', ...each(({ clientsKept }) => `${Math.round(clientsKept * 100)}%`), 'at least 50%'],
      ['the same by rounds', ...each(({ byRounds }) => `${Math.round(byRounds.clientsKept * 100)}%`), ''],
      ['longest wait of a client', ...each(({ clientsMeanwhile }) => milliseconds(clientsMeanwhile.requests.longestMs)), ''],
      ['errors of clients', ...each(({ clientsMeanwhile }) => errors(clientsMeanwhile)), 'none'],
    ]),
    '',
    ...formatTable([
      ['MIGRATION 1-3-1', '', 'LIMIT'],
      ...migration.steps.map(({ command, milliseconds: ms }) => [command, milliseconds(ms), '']),
      ['all steps', milliseconds(migration.milliseconds), 'under 3000 ms'],
      ['client requests per second before', rate(usual), ''],
      ['client requests per second meanwhile', rate(meanwhile), ''],
      ['usual p99', milliseconds(usual.requests.p99Ms), ''],
      ['longest wait meanwhile', milliseconds(meanwhile.requests.longestMs), ''],
      ['over the usual p99', `${migration.pauseOverP99.toFixed(1)} times`, 'at most 10'],
      ['errors of clients', errors(meanwhile), 'none'],
    ]),
  ];
}

function rate({ requests, seconds }: Seen): string {
  return String(Math.round(requests.count / seconds));
}

function milliseconds(value: number): string {
  return `${value.toFixed(value < 100 ? 1 : 0)} ms`;
}

function errors({ networkErrors, otherAnswers }: Seen): string {
  const answers = Object.entries(otherAnswers).map(([code, times]) => `${times} ${code}`);
  const all = [...(networkErrors > 0 ? [`${networkErrors} of the network`] : []), ...answers];
  return all.length === 0 ? 'none' : all.join(', ');
}
