import { Command, InvalidArgumentError } from 'commander';
import { COMMANDS, type ListedCommand } from './commands/commands.js';
import { nodesFrom } from './nodes/settings.js';
import { ControlError } from './safety/objection.js';
import { namesIn, wholeNumber } from './safety/typed-step.js';
import type { Manner } from './step/step.js';
import { Progress } from './terminal/progress.js';

const EPILOGUE = `
PROPOSER is a name that "ls" shows, or "all". ACCEPTOR is host:port, as "ls" shows it.
Every command can be repeated: it says what it changed and what already stood. It exits with 0 only when all of it is done.
A step that could lose a write is refused, with the reason and what to do first.

Start with one acceptor, then grow to three while clients run:
  ./run-control.sh add-accept all acceptor-1:6379 1
  ./run-control.sh add-prepare all acceptor-1:6379 1
  ./run-control.sh resize acceptor-1:6379,acceptor-2:6379,acceptor-3:6379`;

const OPTIONS = {
  force: 'although it is not safe, and may lose acknowledged writes; it is recorded',
  'dry-run': 'say what would be done, or why not, and change nothing',
};

/** As shells have it; 1 is for what could not be done. */
const USAGE_ERROR = 2;

/** What a shell reports of a program that wrote to a closed pipe (`| head`). */
const BROKEN_PIPE = 141;
process.stdout.on('error', () => process.exit(BROKEN_PIPE));

const progress = new Progress(process.stderr);
const nodes = fromEnvironment();

const program = new Command('run-control.sh')
  .description('Looks at the configuration of a running cluster, and changes it while clients run.')
  .addHelpText('after', EPILOGUE)
  .showHelpAfterError('Run with --help for all commands.')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : USAGE_ERROR));

for (const listed of COMMANDS) {
  const command = program.command(listed.name).description(listed.description);
  for (const [word, meaning] of listed.words) {
    if (word.startsWith('[')) command.argument(word, meaning, 'all');
    else command.argument(`<${word}>`, meaning, wellFormed(word));
  }
  for (const option of listed.options) command.option(`--${option}`, OPTIONS[option], false);
  command.action(() => run(listed, command.processedArgs as string[], command.opts<Manner>()));
}

await program.parseAsync();
// A connection that failed leaves a timer behind, which would keep the program for seconds.
process.exit();

/** Prints what a command says. An error of the operator's concern is one line and exit code 1. */
async function run({ run: carryOut }: ListedCommand, words: readonly string[], manner: Manner): Promise<void> {
  try {
    const lines = await carryOut(nodes, words, { print, progress }, manner);
    progress.end();
    lines.forEach(print);
  } catch (error) {
    progress.end();
    if (!(error instanceof ControlError)) throw error;
    process.stderr.write(`error: ${error.message}.\n`);
    process.exitCode = 1;
  } finally {
    await nodes.close();
  }
}

function print(line: string): void {
  progress.end();
  process.stdout.write(`${line}\n`);
}

/** What commander reads a word with: numbers and lists of names are checked before anything is done. */
function wellFormed(word: string): (text: string) => string {
  return (text) => {
    try {
      if (word === 'ACCEPTORS') return namesIn(text).join(',');
      if (word === 'QUORUM' || word === 'REQUIRED') return String(wholeNumber(text));
      return text;
    } catch (error) {
      throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
    }
  };
}

function fromEnvironment(): ReturnType<typeof nodesFrom> {
  try {
    return nodesFrom(process.env);
  } catch (error) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(USAGE_ERROR);
  }
}
