import { Command, InvalidArgumentError } from 'commander';
import { Progress } from '../../node-control/terminal/progress.js';
import { type Visited, explore, type Exploration } from './explorer.js';
import type { Scenario } from './scenario.js';
import { SCENARIOS } from './scenarios.js';
import { traceOf } from './trace.js';

const USAGE_ERROR = 2;
const NAME_WIDTH = Math.max(...SCENARIOS.map(({ name }) => name.length));
const NUMBER_WIDTHS = [26, 11, 12, 9, 8, 8] as const;

const EXPLANATION = `
Scenarios (* is quick, - runs only where it is named: nobody has seen its end):
${SCENARIOS.map(({ name, title, isQuick, isUnended }) => `  ${name.padEnd(NAME_WIDTH)} ${isQuick ? '*' : isUnended ? '-' : ' '} ${title}`).join('\n')}

Each line of the output: how many executions there are, how many distinct moments and steps between them were visited to know all of them, how
many distinct moments of a single proposer they consist of, seconds of CPU time, and the memory in use, in megabytes.

Exit codes: 0 no violation; 1 a violation, with the order of messages that leads to it; 2 wrong arguments.`;

const print = (...lines: string[]): void => void process.stdout.write(`${lines.join('\n')}\n`);
const progress = new Progress(process.stderr);

const program = new Command('node dist/verification/exhaustive/main.js')
  .description('Visits every order in which the messages of two proposers and three acceptors can be delivered, in small scenarios.')
  .argument('[scenario...]', 'only these (default: all that have an end)', known, [] as string[])
  .option('--quick', 'only the quick ones', false)
  .addHelpText('after', EXPLANATION)
  .showHelpAfterError('(--help explains the arguments)')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : USAGE_ERROR));
program.parse();
const names = program.processedArgs[0] as string[];
const { quick } = program.opts<{ quick: boolean }>();

const isNamed = ({ name, isUnended }: Scenario): boolean => (names.length === 0 ? !isUnended : names.includes(name));
const chosen = SCENARIOS.filter((scenario) => isNamed(scenario) && (!quick || scenario.isQuick));
if (chosen.length === 0) program.error('error: none of these scenarios is quick', { exitCode: USAGE_ERROR });
print(row('scenario', ['executions', 'moments', 'steps', 'proposer', 'seconds', 'MB']));
for (const scenario of chosen) {
  if (!(await visit(scenario))) {
    process.exitCode = 1;
    break;
  }
}
if (process.exitCode !== 1) print('no violation');

/** Whether all was well. */
async function visit(scenario: Scenario): Promise<boolean> {
  const begun = process.cpuUsage();
  const onProgress = ({ states, transitions }: Visited): void =>
    progress.show(`${scenario.name}: ${states.toLocaleString('en')} moments, ${transitions.toLocaleString('en')} steps, no violation`);
  const { counts, violation } = await explore(scenario, { onProgress });
  progress.end();
  const { user, system } = process.cpuUsage(begun);
  if (violation) {
    explain(scenario, violation);
    return false;
  }
  const { executions, states, transitions, proposerStates } = counts;
  const megabytes = process.memoryUsage.rss() / 1e6;
  print(
    row(scenario.name, [
      inDigits(executions),
      states,
      transitions,
      proposerStates,
      ((user + system) / 1e6).toFixed(1),
      Math.round(megabytes),
    ]),
  );
  return true;
}

function explain({ name, title }: Scenario, { what, first, path, system }: NonNullable<Exploration['violation']>): void {
  print('', `VIOLATION in ${name} (${title}): ${what.rule}: ${what.message}`, '');
  print(...traceOf(first, path, system).map((line, index) => `${String(index + 1).padStart(3)}. ${line}`));
}

function row(name: string, columns: readonly (string | number)[]): string {
  const texts = columns.map((column, index) => column.toLocaleString('en').padStart(NUMBER_WIDTHS[index] ?? 0));
  return name.padEnd(NAME_WIDTH) + texts.join('');
}

/** Beyond 2^53 the sum is not exact. */
function inDigits(executions: number): string {
  return Number.isSafeInteger(executions) ? executions.toLocaleString('en') : `about ${executions.toExponential(2)}`;
}

function known(name: string, earlier: string[]): string[] {
  if (SCENARIOS.every((scenario) => scenario.name !== name))
    throw new InvalidArgumentError('There is no such scenario; --help lists them.');
  return [...earlier, name];
}
