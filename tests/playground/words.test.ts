import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { STORIES, storyOf } from '../../playground/ladder/ladder.js';
import { replay } from '../../playground/stage/run.js';
import { PROJECT } from './modules.js';

const textOf = (...path: string[]): string => readFileSync(join(PROJECT, ...path), 'utf8');
const plain = (html: string): string => html.replaceAll(/\s+/g, ' ').trim();

describe('the words of the playground', () => {
  it('mean what the glossary says, in its sentences', () => {
    const glossary = new Map(
      [...textOf('docs', 'glossary.md').matchAll(/^\| \*\*([^*]+)\*\* +\| ([^|]+?) +\|/gm)].map(([, word = '', meaning = '']) => [
        word,
        meaning,
      ]),
    );
    const words = [...textOf('playground', 'index.html').matchAll(/<dt>([^<]+)<\/dt>\s*<dd>([^<]+)<\/dd>/g)];
    expect(words.map(([, word]) => word)).toEqual(
      expect.arrayContaining(['era', 'ballot', 'prepare', 'promise', 'accept', 'quorum', 'rescan']),
    );
    // Of a meaning of several sentences the first ones will do.
    for (const [, word = '', meaning = ''] of words) {
      const [said, whole = ''] = [plain(meaning), glossary.get(word)];
      expect(`${word}: ${whole}`.startsWith(`${word}: ${said.replace(/\.$/, '')}`), `${word}: ${said} / ${whole}`).toBe(true);
      expect(said, word).toMatch(/\.$/);
    }
  });

  it.each(STORIES)('%s says in each of its steps what happens', async (name) => {
    const { steps } = await storyOf(textOf('docs', 'transcripts', `${name}.txt`), (cluster) => replay({ cluster, choices: [] }));
    expect(steps.filter(({ prose }) => prose.length === 0).map(({ commands }) => commands)).toEqual([]);
  });
});
