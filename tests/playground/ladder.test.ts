import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { STORIES, storyOf } from '../../playground/ladder/ladder.js';
import { replay } from '../../playground/stage/run.js';
import { PROJECT } from './modules.js';

const FOLDER = join(PROJECT, 'docs', 'transcripts');
/** It is told by a program with a rule broken; the level about the floor is the same. */
const UNTOLD = ['collection-without-floor'];

/** What the stage shows in other ways: messages that are held, and tables. */
const isTold = (line: string): boolean => !/ -\| |^ {4}promise|^a\d {2}.*(\d\.\d+\.\d+\.\d+ {2}|- +-)/.test(line);
/** Columns are as wide as what else is told in the same step. */
const plain = (line: string): string => line.trim().replaceAll(/ {2,}/g, '  ');

describe('the ladder', () => {
  it('has all transcripts', () => {
    const names = readdirSync(FOLDER).flatMap((file) => /^(.*)\.txt$/.exec(file)?.[1] ?? []);
    expect([...STORIES, ...UNTOLD].toSorted()).toEqual(names.toSorted());
  });

  it.each(STORIES)('%s happens on the stage as it is written', async (name) => {
    const { title, steps } = await storyOf(readFileSync(join(FOLDER, `${name}.txt`), 'utf8'));
    expect(title).toMatch(/^[A-Z]/);
    for (const { commands, output, cluster, choices, begunAt } of steps) {
      const { beginning, moves, key } = (await replay({ cluster, choices })).view();
      const isFirst = commands.some((command) => command.startsWith('cluster '));
      const told = [...(isFirst ? beginning : []), ...moves.slice(begunAt).flatMap(({ lines }) => lines)];
      const looked = commands.findLast((command) => command.startsWith('registers '));
      if (looked !== undefined) expect(looked).toBe(`registers ${key}`);
      expect(told.map(plain), `${name}: ${commands.join('; ')}`).toEqual(output.filter(isTold).map(plain));
    }
  });
});
