import { Command, InvalidArgumentError, Option } from 'commander';
import { fileToWrite } from '../node-control/terminal/file-argument.js';
import { count, counts } from './figures-program.js';
import { INCREMENTS, type Mix, MIXES, planned, type PlannedCase } from './cases.js';
import { type BenchRunOptions, PARTS } from './run.js';

export interface BenchSettings extends Omit<BenchRunOptions, 'progress' | 'signal'> {
  /** Files; undefined where they were not given. */
  readonly json: string | undefined;
  readonly from: readonly string[] | undefined;
  readonly write: boolean;
}

const EXPLANATION = `
Parts: goals, what the table of goals needs, but for the million keys and the page (about 10 minutes); cases, every kind of load; faults,
kill -9 and SIGSTOP of each kind of node; wan, three regions with the paper's delays between them; keys, a million keys in one proposer; page, what it costs that pages of the control node are open.
Without --only all of them (about 40 minutes).

Everything listens on 127.0.0.1, on ports that are free, and writes to folders of its own in TMPDIR, which has to be on a disk. All of it
is removed at the end, and at Ctrl-C.

Examples:
  npm run bench -- --only goals
  npm run bench -- --node "$(npx --yes --package=node@24 -- which node)" --etcd ~/etcd/etcd --json figures.json --write
  npm run bench -- --against ../before --rounds 7                  what a change gained
  npm run bench -- --from figures.json --write                     the document again, from figures of before
  npm run bench -- --mix reads,increments --clients 16 --keys 9    other cases, all combinations`;

/** Reads the command line; ends the program where it is wrong, or asks for help. @param argv without the program */
export function optionsFrom(argv: readonly string[]): BenchSettings {
  const { mix, clients, keys, padding, only, json, from, warmUp, zookeeper, against, ...rest } = new Command('npm run bench --')
    .description(
      'Measures this cluster beside etcd and ZooKeeper, and beside what Express and Redis can do at best, all on this machine. Ends by itself.',
    )
    .addOption(new Option('--only <part>', 'one part of it').choices(PARTS))
    .option('--rounds <N>', 'how often each has its turn', count, 5)
    .option('--seconds <N>', 'how long a turn counts', count, 2)
    .option('--warm-up <N>', 'seconds before that, which do not count', (text) => (text === '0' ? 0 : count(text)), 1)
    .option('--node <PATH>', 'the Node binary for the proposers, the Express floor and the load', process.execPath)
    .option('--etcd <PATH>', 'the etcd to compare with; it is left out where there is none', 'etcd')
    .option('--zookeeper <FOLDER>', "ZooKeeper's jars, to compare with it; needs java")
    .option('--against <FOLDER>', 'another checkout that is built: nothing but these two builds, side by side')
    .option('--many <N>', 'how many keys one proposer is given', count, 1_000_000)
    .option('--mix <LIST>', `other cases: ${MIXES.join(', ')}`, mixes)
    .option('--clients <LIST>', 'other cases: how many closed loops', counts)
    .option('--keys <LIST>', 'other cases: on how many keys', counts)
    .option('--padding <LIST>', 'other cases: what each value has beside its count, in bytes', counts)
    .option('--json <FILE>', 'write all figures to a file', fileToWrite)
    .option('--from <FILES...>', 'measure nothing: take the figures from such files, of several parts if need be')
    .option('--write', 'write the figures into docs/benchmarks.md', false)
    .addHelpText('after', EXPLANATION)
    .showHelpAfterError('(--help explains the options)')
    .parse(argv, { from: 'user' })
    .opts<Typed>();
  const hasOwnCases = (mix ?? clients ?? keys ?? padding) !== undefined;
  const cases = hasOwnCases ? planned(combinations(mix, clients, keys, padding)) : undefined;
  return { ...rest, warmUpSeconds: warmUp, only: hasOwnCases ? 'cases' : only, cases, json, from, zookeeper, against };
}

type Typed = Omit<BenchSettings, 'cases' | 'warmUpSeconds'> & {
  mix?: Mix[];
  clients?: number[];
  keys?: number[];
  padding?: number[];
  warmUp: number;
};

type Case = PlannedCase['of'];

function combinations(
  mix: readonly Mix[] = [INCREMENTS.mix],
  clients: readonly number[] = [INCREMENTS.clients],
  keys: readonly number[] = [INCREMENTS.keys],
  padding: readonly number[] = [INCREMENTS.padding],
): Case[] {
  let cases: Case[] = mix.map((one) => ({ ...INCREMENTS, mix: one }));
  cases = cases.flatMap((of) => keys.map((one) => ({ ...of, keys: one })));
  cases = cases.flatMap((of) => clients.map((one) => ({ ...of, clients: one })));
  return cases.flatMap((of) => padding.map((one) => ({ ...of, padding: one })));
}

function mixes(text: string): Mix[] {
  return text.split(',').map((name) => {
    const mix = MIXES.find((known) => known === name);
    if (mix === undefined) throw new InvalidArgumentError(`It must be ${MIXES.join(', ')}, or several of them.`);
    return mix;
  });
}
