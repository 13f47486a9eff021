import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import ts from 'typescript';

/** One change to one file. */
export interface Patch {
  /** A TypeScript file, from the project's folder. */
  readonly file: string;
  /** A piece of it that is there exactly once. */
  readonly find: string;
  readonly put: string;
}

export const patch = (file: string, find: string, put: string): Patch => ({ file, find, put });

/** The line that a patch is about is no longer there: the patch has to follow the code. */
export class PatchFailed extends Error {}

/** Rooms that a simulation consists of. */
const ROOMS = ['src', 'proposer', 'node-control', 'client', 'verification'];

/**
 * Makes a copy of the compiled program in which some lines are different.
 *
 * @param project the project's folder, built
 * @param copy a folder inside the project, so that the packages are found; what it held before is removed
 * @throws PatchFailed where a line is gone, is there twice, or does not compile
 */
export function copyWith(patches: readonly Patch[], project: string, copy: string): void {
  rmSync(copy, { recursive: true, force: true });
  const isRun = (path: string): boolean => !/\.(d\.ts|map)$/.test(path);
  for (const room of ROOMS) cpSync(join(project, 'dist', room), join(copy, room), { recursive: true, filter: isRun });
  for (const [file, text] of patched(patches, project)) writeFileSync(join(copy, file.replace(/\.ts$/, '.js')), text);
}

/** The files that these patches change, compiled, by their names in the project. Throws as {@link copyWith} does. */
export function patched(patches: readonly Patch[], project: string): Map<string, string> {
  const files = new Set(patches.map(({ file }) => file));
  return new Map(
    [...files].map((file) => {
      const original = readFileSync(join(project, file), 'utf8');
      return [file, compiled(patches.filter((patch) => patch.file === file).reduce(applied, original), file)];
    }),
  );
}

function applied(text: string, { file, find, put }: Patch): string {
  const pieces = text.split(find);
  if (pieces.length !== 2) throw new PatchFailed(`${file} has ${pieces.length - 1} times: ${find}`);
  return pieces.join(put);
}

function compiled(text: string, file: string): string {
  const { outputText, diagnostics } = ts.transpileModule(text, {
    fileName: basename(file),
    reportDiagnostics: true,
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
  });
  const [first] = diagnostics ?? [];
  if (first) throw new PatchFailed(`${file} does not compile: ${ts.flattenDiagnosticMessageText(first.messageText, ' ')}`);
  return outputText;
}
