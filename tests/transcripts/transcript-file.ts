import { DIVIDER, type Piece, piecesOf } from '../../verification/transcripts/transcript-text.js';
import { Interpreter } from './commands.js';
import { interpreterOf } from './variant.js';

/**
 * Runs the steps of a transcript.
 *
 * @returns the same text, with what comes out now
 * @throws where a command fails, a step brings nothing out, or a paragraph is neither prose nor a step; with the number of the line
 */
export async function replay(text: string): Promise<string> {
  const pieces = piecesOf(text);
  if (pieces.every(({ kind }) => kind === 'prose')) throw new Error('there is no step');
  let interpreter = new Interpreter();
  const run = async (piece: Piece): Promise<string> => {
    if (piece.kind === 'prose') return piece.text;
    if (piece.kind === 'step') return [...piece.commands, DIVIDER, ...(await outputOf(interpreter, piece.commands))].join('\n');
    const broken = interpreterOf(piece.name);
    ({ interpreter } = broken);
    return [`variant ${piece.name}`, DIVIDER, ...broken.changes].join('\n');
  };
  const replayed: string[] = [];
  for (const piece of pieces) {
    try {
      replayed.push(await run(piece));
    } catch (error) {
      throw new Error(`line ${piece.line}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
  interpreter.end();
  return `${replayed.join('\n\n')}\n`;
}

async function outputOf(interpreter: Interpreter, commands: readonly string[]): Promise<string[]> {
  const output = await interpreter.step(commands);
  if (output.length === 0) throw new Error('this step brings nothing out, so it proves nothing');
  return output;
}
