import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** They compute for many seconds: each beside tests that wait, instead of after them. */
export const LONG = [
  'tests/playground/ladder.test.ts',
  'tests/src/store/lost-messages.test.ts',
  'tests/verification/chaos/broken-product.test.ts',
  'tests/verification/exhaustive/explorer.test.ts',
  'tests/verification/exhaustive/reductions.test.ts',
  'tests/verification/simulation/run.test.ts',
];

/**
 * The clock, what a process shares, and modules of Node.js and of packages that reach out of it, other than to files; `vi` changes what others of the
 * process see.
 */
const REACHES_OUT =
  /\bvi\.|\bprocess\.(?!js)|\bperformance\b|\bDate\.now\b|from '(node:(?!(fs|os|path|url)')|ioredis|express|playwright-core|undici)/;
const OWN_IMPORT = /from '(\.[^']*)\.js'/g;

/**
 * The test files that can share a process: neither they nor what they import from tests/ reaches out of it. To start a process and to load what is
 * tested into it takes longer than most of them.
 * @param project the folder of the project
 */
export function pureTests(project: string): string[] {
  const tests = join(project, 'tests');
  const known = new Map<string, boolean>();
  const isPure = (file: string): boolean => {
    const before = known.get(file);
    if (before !== undefined) return before;
    known.set(file, true); // for files that import each other
    const source = readFileSync(file, 'utf8');
    const imports = [...source.matchAll(OWN_IMPORT)].map(([, path = '']) => join(dirname(file), `${path}.ts`));
    const pure = !REACHES_OUT.test(source) && imports.filter((path) => path.startsWith(tests)).every(isPure);
    known.set(file, pure);
    return pure;
  };
  return readdirSync(tests, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => join(tests, path))
    .filter(isPure)
    .map((path) => relative(project, path))
    .filter((path) => !LONG.includes(path));
}
