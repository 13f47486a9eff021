import { endForLostOutput } from '../src/node/lost-output.js';
import { typeCommand, USAGE_ERROR } from './commands/command-line.js';
import { nodesFrom } from './nodes/settings.js';
import { reasonOf } from './safety/objection.js';

process.stdout.on('error', endForLostOutput);

const code = await typeCommand(process.argv.slice(2), fromEnvironment(), process.stdout, process.stderr);
// What was written last may fail yet.
await new Promise((resolve) => process.stdout.write('', resolve));
// A connection that failed leaves a timer behind, which would keep the program for seconds.
process.exit(code);

function fromEnvironment(): ReturnType<typeof nodesFrom> {
  try {
    return nodesFrom(process.env);
  } catch (error) {
    process.stderr.write(`error: ${reasonOf(error)}\n`);
    process.exit(USAGE_ERROR);
  }
}
