import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const served = /const DOCS = \[(.*)\]/.exec(read('node-control/page/server/app.ts'))?.[1] ?? '';
const sections = [...read('node-control/page/browser/commands.ts').matchAll(/\['(docs\/[^']+)',\s+'([^']+)'\]/g)];

it('what the page links to is served, comes into the image, and has the section', () => {
  expect(sections.length).toBeGreaterThan(3);
  for (const [, file = '', heading = ''] of sections) {
    expect(served).toContain(`'${file.replace('docs/', '')}'`);
    expect(read('.dockerignore').split('\n')).toContain(`!${file}`);
    expect(read(file)).toContain(`\n## ${heading}\n`);
  }
});

it('no script of the page waits for one that another script asks for: the first picture is two requests and an answer away', () => {
  const imported = [...read('node-control/page/browser/main.ts').matchAll(/^import \{.* from '\.\/(.*)\.js';$/gm)].map(
    ([, name]) => `${name}.ts`,
  );
  const scripts = readdirSync(new URL('../../../node-control/page/browser/', import.meta.url)).filter((name) => name.endsWith('.ts'));
  expect(scripts.filter((name) => name !== 'main.ts' && !imported.includes(name))).toEqual([]);
});
