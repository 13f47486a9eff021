import { Command, InvalidArgumentError } from 'commander';
import { ControlError } from './nodes/nodes.js';
import { copy } from './commands/copy.js';
import { dump } from './commands/dump.js';
import { ls } from './commands/ls.js';
import { membership, type MembershipCommand } from './commands/membership.js';
import { rescan } from './commands/rescan.js';
import { resize } from './commands/resize.js';
import { status } from './commands/status.js';
import { wipeAcceptor } from './commands/wipe-acceptor.js';
import { wipe } from './commands/wipe.js';
import { Progress } from './terminal/progress.js';
import { nodesFrom, namesIn } from './nodes/settings.js';
import type { Manner } from './step/step.js';

const MEMBERSHIP: Readonly<Record<MembershipCommand, string>> = {
  'add-accept': 'add an acceptor to the accept set and set its quorum',
  'rm-accept': 'remove an acceptor from the accept set and set its quorum',
  'add-prepare': 'add an acceptor to the prepare set and set its quorum',
  'rm-prepare': 'remove an acceptor from the prepare set and set its quorum',
};

const EPILOGUE = `
PROPOSER is a name that "ls" shows, or "all". ACCEPTOR is host:port, as "ls" shows it.
Every command can be repeated: it says what it changed and what already stood. It exits with 0 only when all of it is done.
A step that could lose a write is refused, with the reason and what to do first.

Start with one acceptor, then grow to three while clients run:
  ./run-control.sh add-accept all acceptor-1:6379 1
  ./run-control.sh add-prepare all acceptor-1:6379 1
  ./run-control.sh resize acceptor-1:6379,acceptor-2:6379,acceptor-3:6379`;

const DRY_RUN = 'say what would be done, or why not, and change nothing';

/** As shells have it; 1 is for what could not be done. */
const USAGE_ERROR = 2;

/** What a shell reports of a program that wrote to a closed pipe (`| head`). */
const BROKEN_PIPE = 141;
process.stdout.on('error', () => process.exit(BROKEN_PIPE));

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const progress = new Progress(process.stderr);
const nodes = fromEnvironment();

const program = new Command('run-control.sh')
  .description('Looks at the configuration of a running nodes, and changes it while clients run.')
  .addHelpText('after', EPILOGUE)
  .showHelpAfterError('Run with --help for all commands.')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : USAGE_ERROR));

program
  .command('ls')
  .description('name the proposers and the acceptors')
  .action(run(async () => ls(nodes)));

program
  .command('dump')
  .description('print configurations as JSON')
  .argument('[PROPOSER]', 'a proposer, or all', 'all')
  .action(run((selection: string) => dump(nodes, selection)));

program
  .command('status')
  .description('print one table of all nodes')
  .action(
    run(async () => {
      await status(nodes, print);
      return [];
    }),
  );

program
  .command('resize')
  .description('lead all proposers to these acceptors, step by step; run it again where it was interrupted')
  .argument('<ACCEPTORS>', 'the acceptors from then on, with commas between', list)
  .option('--dry-run', DRY_RUN, false)
  .action(
    run(async (acceptors: string[], { dryRun }: { dryRun: boolean }) => {
      await resize(nodes, acceptors, { dryRun, print: printBetween, progress });
      if (!dryRun) await status(nodes, printBetween);
      return [];
    }),
  );

changing('wipe', 'take all acceptors from a proposer: back to the empty configuration')
  .argument('<PROPOSER>', 'a proposer, or all')
  .action(run((selection: string, manner: Manner) => wipe(nodes, selection, manner)));

changing('copy', 'give a proposer that lost its configuration, or is new, both sets of another one')
  .argument('<FROM>', 'a proposer')
  .argument('<PROPOSER>', 'a proposer, or all')
  .action(run((from: string, selection: string, manner: Manner) => copy(nodes, from, selection, manner)));

for (const [name, description] of Object.entries(MEMBERSHIP)) {
  changing(name, description)
    .argument('<PROPOSER>', 'a proposer, or all')
    .argument('<ACCEPTOR>', 'host:port')
    .argument('<QUORUM>', 'the quorum of the set from then on', wholeNumber)
    .action(
      run((selection: string, acceptor: string, quorum: number, manner: Manner) =>
        membership(nodes, name as MembershipCommand, selection, acceptor, quorum, manner),
      ),
    );
}

program
  .command('rescan')
  .description('bring every key to the present configuration')
  .argument('<ACCEPTORS>', 'acceptors to list the keys of, with commas between', list)
  .argument('<REQUIRED>', 'how many of them must list their keys completely', wholeNumber)
  .action(
    run((acceptors: string[], required: number) => {
      for (const acceptor of acceptors) nodes.assertAcceptor(acceptor);
      if (required < 1 || required > acceptors.length) {
        throw new ControlError(`REQUIRED must be 1 to ${acceptors.length}, the number of acceptors listed, not ${required}`);
      }
      return rescan(nodes, acceptors, required, progress);
    }),
  );

changing('wipe-acceptor', 'remove all data of an acceptor that no proposer lists any more')
  .argument('<ACCEPTOR>', 'host:port')
  .action(run((acceptor: string, manner: Manner) => wipeAcceptor(nodes, acceptor, manner)));

await program.parseAsync();
// A connection that failed leaves a timer behind, which would keep the program for seconds.
process.exit();

/** A command that changes something, and is refused where that is not safe. */
function changing(name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('--force', 'although it is not safe, and may lose acknowledged writes; it is recorded', false)
    .option('--dry-run', DRY_RUN, false);
}

function printBetween(line: string): void {
  progress.end();
  print(line);
}

/** Prints what a command returns. An error of the operator's concern is one line and exit code 1. */
function run<Arguments extends unknown[]>(command: (...args: Arguments) => Promise<string[]>): (...args: Arguments) => Promise<void> {
  return async (...args) => {
    try {
      const lines = await command(...args);
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
  };
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function list(text: string): string[] {
  try {
    return namesIn(text);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

function fromEnvironment(): ReturnType<typeof nodesFrom> {
  try {
    return nodesFrom(process.env);
  } catch (error) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(USAGE_ERROR);
  }
}
