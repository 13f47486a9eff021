import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { STORIES } from '../../playground/ladder/ladder.js';
import { choiceInWords } from '../../playground/stage/choice.js';
import { commandInWords, lineInWords, proseInWords } from '../../verification/transcripts/in-words.js';
import { PROJECT } from './modules.js';

describe('what the page says', () => {
  it.each(STORIES)('of %s has none of the signs of a transcript, and names no file', (name) => {
    const said = readFileSync(join(PROJECT, 'docs', 'transcripts', `${name}.txt`), 'utf8')
      .split('\n\n')
      .flatMap((paragraph) => {
        const lines = paragraph.split('\n');
        const divider = lines.indexOf('----');
        if (divider < 0) return [proseInWords(lines.map((line) => line.replace(/^# ?/, '')).join(' '))];
        // What is held back is drawn; it is no line of the page.
        const output = lines.slice(divider + 1).filter((line) => !line.includes(' -| '));
        return [...lines.slice(0, divider).map(commandInWords), ...output.map(lineInWords)];
      });
    expect(said.length).toBeGreaterThan(20);
    for (const text of said) expect(text).not.toMatch(/-[x|>] |\(-[x|]|\.txt| => /);
  });

  it('is the same in words', () => {
    expect(proseInWords('It is lost (-x). It is slow (-| is a message that is held back), see quorum-read.txt.')).toBe(
      'It is lost. It is slow, see the story “quorum read”.',
    );
    expect(['p1 -> a1  prepare k', 'p1 -x a3  prepare k (a3 is down)', 'p1 get k => version 1'].map(lineInWords)).toEqual([
      'p1 → a1  prepare k',
      'p1 → a3  ✕ lost: prepare k (a3 is down)',
      'p1 get k ⇒ version 1',
    ]);
    expect(['lose a1,a2 -> p1 accept', 'hold p1 -> * *', 'registers k', 'p1 get k'].map(commandInWords)).toEqual([
      'lose a1,a2 → p1: accept',
      'hold p1 → everybody: everything',
      'look at k',
      'p1 get k',
    ]);
    expect(['d12', 'x3', 'r4', 'wait', 'look k', 'kill a1'].map(choiceInWords)).toEqual([
      'deliver message 12',
      'lose message 3',
      'deliver message 4 twice',
      'let 300 ms pass',
      'look at k',
      'kill a1',
    ]);
  });
});
