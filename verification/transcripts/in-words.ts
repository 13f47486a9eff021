/**
 * What transcripts write in signs, as the playground says it: there `->` is an arrow, `-x` a message that is lost and `-|` one that is held back, and
 * files name each other.
 */

/** Of what stands before a step: on the stage a message that is lost or held back is seen, and another transcript is another story. */
export function proseInWords(paragraph: string): string {
  return paragraph
    .replaceAll(/ \(-[x|][^)]*\)/g, '')
    .replaceAll(/\b([a-z][a-z-]*)\.txt\b/g, (_file, name: string) => `the story “${storyName(name)}”`);
}

/** As the list of stories has it. @param name of the file */
export function storyName(name: string): string {
  return name.replaceAll('-', ' ');
}

/** A line of what happened. */
export function lineInWords(line: string): string {
  return line
    .replace(/^(\S+) -x (\S+) +/, '$1 → $2  ✕ lost: ')
    .replace(/^(\S+) -> (\S+)/, '$1 → $2')
    .replace(' => ', ' ⇒ ');
}

/** A command of a transcript. */
export function commandInWords(command: string): string {
  const [, verb, from = '', to = '', kind = ''] = /^(lose|hold) (\S+) -> (\S+) (\S+)$/.exec(command) ?? [];
  if (verb !== undefined) return `${verb} ${from} → ${to === '*' ? 'everybody' : to}: ${kind === '*' ? 'everything' : kind}`;
  if (command === 'wait') return 'wait: 300 ms pass';
  if (command === 'release') return 'release what was held back';
  return command.replace(/^registers /, 'look at ').replace(/^cluster /, 'a new cluster: ');
}
