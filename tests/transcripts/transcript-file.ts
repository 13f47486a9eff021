import { Interpreter } from './commands.js';
import { interpreterOf } from './variant.js';

/** Between the commands of a step and what has to come out. */
const DIVIDER = '----';

/** The step that may come before all others: the program is to be the one with this rule broken. */
const VARIANT = /^variant (.+)$/;

/**
 * Runs the steps of a transcript. It consists of paragraphs: prose, every line of which begins with `#`, and steps, which are commands,
 * a line `----`, and what came out.
 *
 * @returns the same text, with what comes out now
 * @throws where a command fails, a step brings nothing out, or a paragraph is neither; with the number of the line
 */
export async function replay(text: string): Promise<string> {
  let interpreter = new Interpreter();
  const paragraphs: string[] = [];
  let line = 1;
  let steps = 0;
  for (const paragraph of text.trimEnd().split('\n\n')) {
    const lines = paragraph.split('\n');
    try {
      if (isProse(lines)) {
        paragraphs.push(paragraph);
      } else {
        const commands = commandsOf(lines);
        const [, variant] = VARIANT.exec(commands[0] ?? '') ?? [];
        if (variant !== undefined && (steps > 0 || commands.length > 1))
          throw new TypeError('a variant is a step of its own, the first one');
        const broken = variant === undefined ? undefined : interpreterOf(variant);
        if (broken) ({ interpreter } = broken);
        paragraphs.push([...commands, DIVIDER, ...(broken?.changes ?? (await outputOf(interpreter, commands)))].join('\n'));
        steps += 1;
      }
    } catch (error) {
      throw new Error(`line ${line}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
    line += lines.length + 1;
  }
  if (steps === 0) throw new Error('there is no step');
  interpreter.end();
  return `${paragraphs.join('\n\n')}\n`;
}

function isProse(lines: readonly string[]): boolean {
  return lines.every((line) => line.startsWith('#'));
}

function commandsOf(lines: readonly string[]): string[] {
  const at = lines.indexOf(DIVIDER);
  if (at < 1) throw new Error(`neither prose nor a step with a line ${DIVIDER}`);
  // It would be taken for output, and be overwritten.
  if (lines.some((line) => line.startsWith('#'))) throw new Error('prose needs an empty line before and after it');
  return lines.slice(0, at);
}

async function outputOf(interpreter: Interpreter, commands: readonly string[]): Promise<string[]> {
  const output = await interpreter.step(commands);
  if (output.length === 0) throw new Error('this step brings nothing out, so it proves nothing');
  return output;
}
