import { typeCommand, USAGE_ERROR } from './commands/command-line.js';
import { nodesFrom } from './nodes/settings.js';

/** What a shell reports of a program that wrote to a closed pipe (`| head`). */
const BROKEN_PIPE = 141;
process.stdout.on('error', () => process.exit(BROKEN_PIPE));

// A connection that failed leaves a timer behind, which would keep the program for seconds.
process.exit(await typeCommand(process.argv.slice(2), fromEnvironment(), process.stdout, process.stderr));

function fromEnvironment(): ReturnType<typeof nodesFrom> {
  try {
    return nodesFrom(process.env);
  } catch (error) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(USAGE_ERROR);
  }
}
