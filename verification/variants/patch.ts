import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import ts from 'typescript';
import type { Patch } from './variant.js';

/** The line that a patch is about is no longer there: the patch has to follow the code. */
export class PatchFailed extends Error {}

/** Rooms that a simulation consists of. */
const ROOMS = ['src', 'proposer', 'node-control', 'client', 'verification'];

/** A world that is simulated has no HTTP, and to load what speaks it takes a third of a start. */
const NO_HTTP = `const none = () => { throw new Error('a simulated world has no HTTP'); };
export const Pool = none, request = none;
`;

/** A copy of the compiled program, of which lines can be broken: one copy does for many patches, one after the other. */
export class ProgramCopy {
  readonly folder: string;
  readonly #project: string;
  #broken: readonly string[] = [];

  /**
   * @param project the project's folder, built
   * @param folder inside the project, so that the packages are found; what it held before is removed
   */
  constructor(project: string, folder: string) {
    this.#project = project;
    this.folder = folder;
    rmSync(folder, { recursive: true, force: true });
    const isRun = (path: string): boolean => !/\.(d\.ts|map)$/.test(path);
    for (const room of ROOMS) cpSync(join(project, 'dist', room), join(folder, room), { recursive: true, filter: isRun });
    const undici = join(folder, 'node_modules', 'undici');
    mkdirSync(undici, { recursive: true });
    writeFileSync(join(undici, 'package.json'), '{ "type": "module", "exports": "./index.js" }');
    writeFileSync(join(undici, 'index.js'), NO_HTTP);
  }

  /**
   * Makes it the program with these patches and no others.
   *
   * @throws PatchFailed where a line is gone, is there twice, or does not compile; then it is as it was
   */
  becomes(patches: readonly Patch[]): void {
    const broken = patched(patches, this.#project);
    for (const name of this.#broken) copyFileSync(join(this.#project, 'dist', name), join(this.folder, name));
    this.#broken = [...broken.keys()];
    for (const [name, text] of broken) writeFileSync(join(this.folder, name), text);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** The files that these patches change, compiled, by the names of what is compiled. Throws as {@link ProgramCopy.becomes} does. */
export function patched(patches: readonly Patch[], project: string): Map<string, string> {
  const files = new Set(patches.map(({ file }) => file));
  return new Map(
    [...files].map((file) => {
      const original = readFileSync(join(project, file), 'utf8');
      return [file.replace(/\.ts$/, '.js'), compiled(patches.filter((patch) => patch.file === file).reduce(applied, original), file)];
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
