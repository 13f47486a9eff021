import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { Nodes } from '../nodes/nodes.js';
import { ControlError, reasonOf } from '../safety/objection.js';
import { namesIn, wholeNumber } from '../safety/typed-step.js';
import type { Manner } from '../step/step.js';
import { Progress } from '../terminal/progress.js';
import { COMMANDS, type ListedCommand } from './commands.js';

const EPILOGUE = `
PROPOSER is a name that "ls" shows, or "all". ACCEPTOR is host:port, as "ls" shows it, or the host where that is enough.
Every command can be repeated: it says what it changed and what already stood. It exits with 0 only when all of it is done.
A step that could lose a write is refused, with the reason and what to do first.

Start with one acceptor, then grow to three while clients run:
  ./run-control.sh add-accept all acceptor-1:6379 1
  ./run-control.sh add-prepare all acceptor-1:6379 1
  ./run-control.sh resize acceptor-1:6379,acceptor-2:6379,acceptor-3:6379`;

const OPTIONS = {
  force: 'do it although it is not safe: acknowledged writes may be lost. It is recorded',
  'dry-run': 'say what would be done, or why it is refused, and change nothing',
  'by-rounds': 'bring every key by a round of its own, also where copying would do',
};

/** As shells have it; 1 is for what could not be done. */
export const USAGE_ERROR = 2;

type Output = ConstructorParameters<typeof Progress>[0];

/**
 * Reads one command line and does what it says. The nodes are closed at the end.
 * @param argv the words after the program's name
 * @returns the exit code
 */
export async function typeCommand(argv: readonly string[], nodes: Nodes, stdout: Pick<Output, 'write'>, stderr: Output): Promise<number> {
  const progress = new Progress(stderr);
  let exitCode = 0;
  const print = (line: string): void => {
    progress.end();
    stdout.write(`${line}\n`);
  };

  /** Prints what a command says. An error of the operator's concern is one line and exit code 1. */
  const run = async ({ run: carryOut }: ListedCommand, words: readonly string[], manner: Manner): Promise<void> => {
    try {
      const lines = await carryOut(nodes, words, { print, progress }, manner);
      progress.end();
      lines.forEach(print);
    } catch (error) {
      progress.end();
      if (!(error instanceof ControlError)) throw error;
      stderr.write(`error: ${error.message}.\n`);
      exitCode = 1;
    }
  };

  const program = new Command('run-control.sh')
    .description('Looks at the configuration of a running cluster, and changes it while clients run.')
    .addHelpText('after', EPILOGUE)
    .showHelpAfterError('Run with --help for all commands.')
    .configureOutput({
      outputError: (text, write) =>
        write(text.replace(/^error: command-argument value '(.*)' is invalid for argument '(\w+)'\./s, "error: $2 '$1' is invalid.")),
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
    })
    .exitOverride();
  for (const listed of COMMANDS) {
    const command = program.command(listed.name).description(listed.description);
    for (const [word, meaning] of listed.words) {
      if (word.startsWith('[')) command.argument(word, meaning, 'all');
      else command.argument(`<${word}>`, meaning, wellFormed(word));
    }
    for (const option of listed.options) command.option(`--${option}`, OPTIONS[option]);
    command.action(() => run(listed, fullNames(nodes, listed, command.processedArgs as string[]), command.opts<Manner>()));
  }

  const forgotten = withoutProposer(nodes, argv);
  if (forgotten !== undefined) {
    stderr.write(`error: PROPOSER comes first, a name or "all": ${forgotten}.\n`);
    await nodes.close();
    return USAGE_ERROR;
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : USAGE_ERROR;
  } finally {
    await nodes.close();
  }
}

/** What was meant by a command that names an acceptor where its proposer belongs; undefined for every other one. */
function withoutProposer(nodes: Nodes, [name = '', first = '', ...rest]: readonly string[]): string | undefined {
  const isChange = COMMANDS.some((listed) => listed.name === name && listed.words[0]?.[0] === 'PROPOSER');
  if (!isChange || !nodes.acceptors.includes(nodes.acceptorCalled(first))) return undefined;
  return `./run-control.sh ${[name, 'all', first, ...rest].join(' ')}`;
}

/** Acceptors may be called without their port. */
function fullNames(nodes: Nodes, { words }: ListedCommand, given: readonly string[]): string[] {
  return given.map((text, index) => {
    const [word] = words[index] ?? [];
    if (word !== 'ACCEPTOR' && word !== 'ACCEPTORS') return text;
    return text
      .split(',')
      .map((name) => nodes.acceptorCalled(name))
      .join(',');
  });
}

/** What commander reads a word with: numbers and lists of names are checked before anything is done. */
function wellFormed(word: string): (text: string) => string {
  return (text) => {
    try {
      if (word === 'ACCEPTORS') return namesIn(text).join(',');
      if (word === 'QUORUM' || word === 'REQUIRED') return String(wholeNumber(text));
      return text;
    } catch (error) {
      throw new InvalidArgumentError(reasonOf(error));
    }
  };
}
