import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { patchedText } from '../../playground/levels/switches.js';

export const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
export const DIST = join(PROJECT, 'dist');

/** What a page loads first, by their paths in dist/: what is played, of which there can be another one with other rules, and what plays it. */
export const ENTRIES = ['stage/run', 'stage/recorded-run', 'browser/main'].map((name) => `playground/${name}.js`);

/**
 * The compiled files that the playground consists of, in the order in which a module comes after those that it imports; what else they import, and
 * which names of that.
 */
export function graphOf(entries: readonly string[]): { files: string[]; packages: Set<string>; names: Set<string>; cycles: string[] } {
  const [files, packages, names, cycles] = [new Set<string>(), new Set<string>(), new Set<string>(), [] as string[]];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
    if (path.includes(file) || files.has(file)) return;
    const imports = /^import (?:([\w$]+)|\{([^}]+)\}|.*?) from '([^']+)'|(?:\bfrom |\bimport )'([^']+)'/gm;
    for (const [, whole, named = '', from, other = ''] of readFileSync(join(DIST, file), 'utf8').matchAll(imports)) {
      const specifier = from ?? other;
      if (specifier.startsWith('.')) visit(join(dirname(file), specifier), [...path, file]);
      else {
        packages.add(specifier);
        if (whole !== undefined) names.add('default');
        for (const name of named.split(',')) names.add(name.replace(/ as .*/, '').trim());
      }
    }
    files.add(file);
  };
  for (const entry of entries) visit(entry, []);
  names.delete('');
  return { files: [...files], packages, names, cycles };
}

/** The stage of a program in which rules are switched off, as the page makes it. Call `forget` when it is no longer wanted. */
export function stageWithout(off: readonly string[]): { run: typeof import('../../playground/stage/run.js'); forget: () => void } {
  const copy = mkdtempSync(join(DIST, 'playground.'));
  for (const file of graphOf([ENTRIES[0] ?? '']).files) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    writeFileSync(join(copy, file), patchedText(file, readFileSync(join(DIST, file), 'utf8'), off));
  }
  // By Node itself: the test runner would keep the modules apart from others by their names.
  const run = createRequire(import.meta.url)(join(copy, ENTRIES[0] ?? '')) as typeof import('../../playground/stage/run.js');
  return { run, forget: () => rmSync(copy, { recursive: true }) };
}
