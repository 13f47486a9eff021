import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const page = read('docs/protocol.md');
const rules = [...page.slice(page.indexOf('## The rules in one table')).matchAll(/^\| (\d+) +\|[^|]*\| `([^`]+)` \(`([^`]+)`\)/gm)].map(
  ([, number, name = '', file = '']) => ({ number: Number(number), name, file }),
);

it('each of the 16 rules names one place in the code', () => {
  expect(rules.map(({ number }) => number)).toEqual(Array.from({ length: 16 }, (_, index) => index + 1));
});

it.each(rules)('rule $number is at $name in $file', ({ name, file }) => {
  const source = read(file);
  for (const part of name.split('.')) expect(source).toMatch(new RegExp(`(class |function |const |^ +(async )?|^)${part}\\b`, 'm'));
});
