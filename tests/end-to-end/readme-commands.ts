import { readFileSync } from 'node:fs';

/** What a reader types into one of the terminals, line by line. */
export interface Block {
  readonly terminal: number;
  readonly lines: readonly string[];
}

/** The commands of README.md, in order: every block of shell that a `<!-- terminal N -->` stands before. */
export function readmeBlocks(): Block[] {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  return [...readme.matchAll(/<!-- terminal (\d) -->\s*```sh\n([^`]*)```/g)].map(([, terminal, text]) => ({
    terminal: Number(terminal),
    lines: (text ?? '').trim().split('\n'),
  }));
}
