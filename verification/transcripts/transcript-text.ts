/** Between the commands of a step and what has to come out. */
export const DIVIDER = '----';

/** A piece of a transcript. */
export type Piece = {
  /** The number of its first line. */
  readonly line: number;
  readonly text: string;
} & (
  | { readonly kind: 'prose'; readonly paragraphs: readonly string[] }
  /** The step that may come before all others: the program is to be the one with this rule broken. */
  | { readonly kind: 'variant'; readonly name: string }
  | { readonly kind: 'step'; readonly commands: readonly string[]; readonly output: readonly string[] }
);

/**
 * The pieces of a transcript, with an empty line between two: prose, every line of which begins with `#`, and steps, which are commands, a line
 * `----`, and what came out.
 *
 * @throws TypeError for a piece that is neither; with the number of the line
 */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let line = 1;
  for (const piece of text.trimEnd().split('\n\n')) {
    const lines = piece.split('\n');
    pieces.push({ line, text: piece, ...pieceOf(lines, line, pieces) });
    line += lines.length + 1;
  }
  return pieces;
}

type Content<Any> = Any extends Piece ? Omit<Any, 'line' | 'text'> : never;

function pieceOf(lines: readonly string[], line: number, before: readonly Piece[]): Content<Piece> {
  const wrong = (why: string): never => {
    throw new TypeError(`line ${line}: ${why}`);
  };
  if (lines.every((each) => each.startsWith('#'))) return { kind: 'prose', paragraphs: paragraphsOf(lines) };
  const at = lines.indexOf(DIVIDER);
  if (at < 1) wrong(`neither prose nor a step with a line ${DIVIDER}`);
  // It would be taken for output, and be overwritten.
  if (lines.some((each) => each.startsWith('#'))) wrong('prose needs an empty line before and after it');
  const [commands, output] = [lines.slice(0, at), lines.slice(at + 1)];
  const name = /^variant (.+)$/.exec(commands[0] ?? '')?.[1];
  if (name === undefined) return { kind: 'step', commands, output };
  if (commands.length > 1 || before.some(({ kind }) => kind !== 'prose')) wrong('a variant is a step of its own, the first one');
  return { kind: 'variant', name };
}

/** Of prose; a line that has nothing else parts two. */
function paragraphsOf(lines: readonly string[]): string[] {
  return lines
    .map((line) => line.replace(/^# ?/, ''))
    .join('\n')
    .split('\n\n')
    .map((paragraph) => paragraph.replaceAll('\n', ' '));
}
