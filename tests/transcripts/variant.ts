import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { ProgramCopy } from '../../verification/variants/patch.js';
import type { Patch } from '../../verification/variants/variant.js';
import { VARIANTS } from '../../verification/variants/variants.js';
import type { Interpreter } from './commands.js';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
/** The folder of this file, from the project's. */
const HERE = join('tests', 'transcripts');

/**
 * The interpreter of a program in which a rule is broken, as `npm run variants` breaks it.
 *
 * @param name of the variant
 * @returns with it, the lines that were changed, but for those of checkers, which are only to hold their tongues
 * @throws TypeError if there is no such variant
 */
export function interpreterOf(name: string): { interpreter: Interpreter; changes: string[] } {
  const variant = VARIANTS.find((each) => each.name === name);
  if (!variant) throw new TypeError(`there is no variant: ${name}`);
  const patches = [...variant.patches, ...(variant.unguarded ?? [])];
  const copy = mkdtempSync(join(PROJECT, 'dist', 'transcripts.'));
  try {
    new ProgramCopy(PROJECT, copy).becomes(patches);
    copyInterpreter(copy);
    // By Node itself: the test runner would keep the modules apart from others by their names, and look for the maps of those that are gone.
    const { Interpreter } = createRequire(import.meta.url)(join(copy, HERE, 'commands.js')) as typeof import('./commands.js');
    const shown = patches.filter(({ file }) => !file.startsWith('verification/checkers/'));
    return { interpreter: new Interpreter(), changes: shown.flatMap(changeIn) };
  } finally {
    rmSync(copy, { recursive: true });
  }
}

/** The interpreter belongs to no room of the program, and has to run on the copy. */
function copyInterpreter(copy: string): void {
  mkdirSync(join(copy, HERE), { recursive: true });
  for (const file of readdirSync(join(PROJECT, HERE)).filter((each) => each.endsWith('.ts') && !each.endsWith('.test.ts'))) {
    const compilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true };
    const { outputText } = ts.transpileModule(readFileSync(join(PROJECT, HERE, file), 'utf8'), { fileName: file, compilerOptions });
    writeFileSync(join(copy, HERE, file.replace(/\.ts$/, '.js')), outputText);
  }
}

function changeIn({ file, find, put }: Patch): string[] {
  const marked = (mark: string, text: string): string[] =>
    text
      .trim()
      .split('\n')
      .map((line) => `${mark} ${line.trim()}`);
  return [file, ...marked('-', find), ...marked('+', put)];
}
