import { writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { fileToWrite } from '../../node-control/terminal/file-argument.js';
import { Progress } from '../../node-control/terminal/progress.js';
import { endForLostOutput } from '../../src/node/lost-output.js';
import { recordedOf, Recording } from '../pictures/recording.js';
import { spaceTime } from '../pictures/space-time.js';
import { run } from './run.js';
import { NAMED_SCENARIOS } from './scenario-names.js';
import { type FaultName, FAULTS, type Overrides, settingsFor } from './settings.js';
import { shrink } from './shrink.js';
import { commandFor, linkFor, settingsText, storyOf, RunTally, violationText } from './story.js';
import type { Report } from './world.js';

const USAGE_ERROR = 2;
/** What a shell reports of a program that SIGINT ended. */
const INTERRUPTED = 130;
process.stdout.on('error', endForLostOutput);
const LARGEST_SEED = 2 ** 32 - 1;

interface Arguments extends Overrides {
  readonly seed: number;
  readonly seeds?: number;
  readonly trace: boolean;
  readonly brief: boolean;
  readonly silence: boolean;
  readonly svg?: string;
}

const print = (...lines: readonly (string | readonly string[])[]): void => void process.stdout.write(`${lines.flat().join('\n')}\n`);
const progress = new Progress(process.stderr);

const program = new Command('npm run simulate --')
  .description(
    'Runs the protocol in a simulated world, with every fault that a network and its nodes can have, and checks what clients saw.',
  )
  .option('--seed <N>', 'the first run, or the only one; the same seed is the same run', wholeNumber, 1)
  .option('--seeds <N>', 'this many runs, stopping at the first violation', wholeNumber)
  .addOption(new Option('--scenario <NAME>', 'only this one').choices(NAMED_SCENARIOS))
  .option('--operations <N>', 'how many operations the clients of a run share', wholeNumber)
  .option('--stop-after <N>', 'mend and read everything after so many of them', wholeNumber)
  .option('--without <FAULTS>', `leave out, with commas between: ${FAULTS.join(', ')}`, faults)
  .option('--trace', 'every message, too', false)
  .option('--svg <FILE>', 'draw the run, or the smaller one that shows a violation, as a space-time diagram', fileToWrite)
  .option('--no-silence', 'a cluster that does not answer when all is mended is no violation')
  .option('--brief', 'of a violation only the seed and what it is', false)
  .addHelpText('after', '\nExit codes: 0 no violation, 1 a violation, 2 wrong arguments, 130 ended early by Ctrl-C, with a summary.')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : USAGE_ERROR));

const { seed, seeds, trace, brief, silence, svg, ...overrides } = program.parse().opts<Arguments>();
process.exitCode = await (seeds === undefined ? one(seed) : many(seed, seeds));

/** Tells the story of one run. */
async function one(only: number): Promise<number> {
  const report = await run(settingsFor(only, overrides), { trace: true, silence });
  const tally = new RunTally();
  tally.add(report);
  // A long story has more lines than a call has room for arguments.
  print(settingsText(report.settings), '', storyOf(report, { withMessages: trace }), '', tally.toString());
  print(report.violations.length > 0 ? report.violations.map(violationText) : ['no violation']);
  await show(report, overrides);
  return report.violations.length > 0 ? 1 : 0;
}

async function many(first: number, count: number): Promise<number> {
  const tally = new RunTally();
  const begunMs = Date.now();
  const perMinute = (): string => Math.round((tally.runs / (Date.now() - begunMs)) * 60_000).toLocaleString('en');
  let isInterrupted = false;
  process.once('SIGINT', () => (isInterrupted = true));
  const wasInterrupted = (): boolean => isInterrupted;
  for (let current = first; current < first + count && !wasInterrupted(); current += 1) {
    const report = await run(settingsFor(current, overrides), { silence });
    tally.add(report);
    progress.show(`${tally.runs.toLocaleString('en')} of ${count.toLocaleString('en')} seeds, ${perMinute()} a minute, no violation`);
    if (report.violations.length === 0) continue;
    progress.end();
    print(`seed ${current}: ${report.violations.map(violationText).join('\n')}`);
    if (!brief) await explain(current);
    return 1;
  }
  progress.end();
  const last = first + tally.runs - 1;
  print(`seeds ${first} to ${last}: no violation in ${tally.runs.toLocaleString('en')} runs, ${perMinute()} a minute`, tally.toString());
  return wasInterrupted() ? INTERRUPTED : 0;
}

/** The smallest run of a seed that shows the fault: its history for the key in question, with the messages. */
async function explain(failing: number): Promise<void> {
  print('', 'Looking for a smaller run that shows it …');
  const { report, overrides: smallest } = await shrink(failing, overrides);
  const key = report.violations[0]?.key;
  print('', settingsText(report.settings), '');
  print(storyOf(report, { withMessages: true, ...(key === undefined ? {} : { key }) }), '');
  print(report.violations.map(violationText), '', 'This run again:', `  ${commandFor(failing, smallest, '--trace')}`);
  await show(report, smallest);
}

/** Where to look at a run that was traced, and draws it if that is asked for. */
async function show(report: Report, made: Overrides): Promise<void> {
  const link = linkFor(report.settings, made);
  print('', 'The same step by step, in the playground of this checkout:', `  ${link}`);
  if (svg === undefined) return;
  const recording = new Recording(recordedOf(report, { ...made, scenario: report.settings.scenario }));
  await recording.go(Infinity);
  writeFileSync(svg, spaceTime(recording.view(), link));
}

function wholeNumber(text: string): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) > LARGEST_SEED)
    throw new InvalidArgumentError(`It must be a whole number up to ${LARGEST_SEED}.`);
  return Number(text);
}

function faults(text: string): FaultName[] {
  const named = text.split(',');
  const unknown = named.filter((name) => !(FAULTS as readonly string[]).includes(name));
  if (unknown.length > 0) throw new InvalidArgumentError(`There is no fault "${unknown.join('", "')}".`);
  return named as FaultName[];
}
