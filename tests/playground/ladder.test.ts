import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { STORIES, storyOf } from '../../playground/ladder/ladder.js';
import { codeOf, excerptOf, PLACES } from '../../playground/ladder/code.js';
import { DIST, PROJECT, stageWithout } from './modules.js';
import { Coverage } from './coverage.js';

const FOLDER = join(PROJECT, 'docs', 'transcripts');

/** What the stage shows in other ways: messages that are held, and tables. */
const isTold = (line: string): boolean => !/ -\| |^ {4}promise|^a\d {2}.*(\d\.\d+\.\d+\.\d+ {2}|- +-)/.test(line);
/** Columns are as wide as what else is told in the same step. */
const plain = (line: string): string => line.trim().replaceAll(/ {2,}/g, '  ');

describe('the ladder', () => {
  it('has all transcripts', () => {
    const names = readdirSync(FOLDER).flatMap((file) => /^(.*)\.txt$/.exec(file)?.[1] ?? []);
    expect(STORIES.toSorted()).toEqual(names.toSorted());
  });

  it.each(STORIES)(
    '%s happens on the stage as it is written, and the lines that are shown beside each move are those that it ran',
    async (name) => {
      const programs = new Map<string, ReturnType<typeof stageWithout>>();
      const program = (off: readonly string[]): ReturnType<typeof stageWithout>['run'] => {
        const made = programs.get(off.join()) ?? stageWithout(off);
        programs.set(off.join(), made);
        return made.run;
      };
      const coverage = await Coverage.begin();
      try {
        const text = readFileSync(join(FOLDER, `${name}.txt`), 'utf8');
        const { title, steps } = await storyOf(text, (cluster, off) => program(off).replay({ cluster, choices: [] }));
        expect(title).toMatch(/^[A-Z]/);
        for (const { commands, output, cluster, off, choices, begunAt } of steps) {
          const stage = await program(off).replay({ cluster, choices }, begunAt);
          await coverage.take();
          for (const choice of choices.slice(begunAt)) {
            await stage.apply(choice);
            const ran = await coverage.take();
            const place = codeOf(stage.view());
            // What is lost runs nothing, and who looks neither.
            if (!/^(x|look)/.test(choice)) expect(place, `${name}: ${choice}`).toBeDefined();
            const lines = stage.view().moves.at(-1)?.lines.join('; ');
            if (place) expect(ran(place), `${name}: ${choice}: ${String(lines)}: ${place.file} ${place.begin}`).toBe(true);
          }
          const { beginning, moves, key } = stage.view();
          const isFirst = commands.some((command) => command.startsWith('cluster '));
          const told = [...(isFirst ? beginning : []), ...moves.slice(begunAt).flatMap(({ lines }) => lines)];
          const looked = commands.findLast((command) => command.startsWith('registers '));
          if (looked !== undefined) expect(looked).toBe(`registers ${key}`);
          expect(told.map(plain), `${name}: ${commands.join('; ')}`).toEqual(output.filter(isTold).map(plain));
        }
      } finally {
        await coverage.end();
        for (const { forget } of programs.values()) forget();
      }
    },
  );

  it('tells the one without the floor with a program that has that rule broken', async () => {
    const asked: (readonly string[])[] = [];
    const { run, forget } = stageWithout([]);
    forget();
    const { steps } = await storyOf(readFileSync(join(FOLDER, 'collection-without-floor.txt'), 'utf8'), (cluster, off) => {
      asked.push(off);
      return run.replay({ cluster, choices: [] });
    });
    expect([asked, new Set(steps.map(({ off }) => off.join()))]).toEqual([[['floor']], new Set(['floor'])]);
  });
});

describe('the lines that are shown beside a move', () => {
  it('are found by what they say, wherever they are: a piece that is gone, or is there twice, is an error', () => {
    const place = { file: 'a.js', begin: 'b(', marks: ['two'] };
    const text = '    a() {\n    }\n    b() {\n        one;\n        two;\n    }\n    c() {\n    }';
    expect(excerptOf(text, place)).toEqual([
      { text: 'b() {', isMarked: false },
      { text: '    one;', isMarked: false },
      { text: '    two;', isMarked: true },
      { text: '}', isMarked: false },
    ]);
    expect(excerptOf(`\n\n${text}`, place)).toEqual(excerptOf(text, place));
    expect(() => excerptOf(text, { ...place, begin: 'd(' })).toThrow('a.js has 0 lines: d(');
    expect(() => excerptOf(`${text}\n${text}`, place)).toThrow('a.js has 2 lines: b(');
  });

  it('all are there, with their marks', () => {
    for (const place of PLACES) {
      const lines = excerptOf(readFileSync(join(DIST, place.file), 'utf8'), place);
      for (const mark of place.marks)
        expect(
          lines.some(({ text, isMarked }) => isMarked && text.includes(mark)),
          `${place.file}: ${mark}`,
        ).toBe(true);
      expect(lines.length, `${place.file}: ${place.begin}`).toBeLessThan(30);
    }
  });
});
