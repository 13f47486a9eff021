import type { Patch } from '../../verification/variants/variant.js';
import { VARIANTS } from '../../verification/variants/variants.js';

/** A rule that can be switched off. */
export interface Switch {
  /** In addresses. */
  readonly id: string;
  /** What is then wrong. */
  readonly name: string;
  /** The lines that change. */
  readonly patches: readonly Patch[];
}

/** The broken variants of verification/variants/ that have a short name for it. Of some only what switches the guard off. */
export const SWITCHES: readonly Switch[] = VARIANTS.flatMap(({ name, patches, unguarded = [], playground }) => {
  if (!playground) return [];
  const isGuard = playground.unguarded !== undefined;
  return [{ id: playground.id, name: playground.unguarded ?? name, patches: (isGuard ? unguarded : patches).filter(isOfProgram) }];
});

/** Not of the world around it, which is another one here. */
function isOfProgram({ file }: Patch): boolean {
  return file.startsWith('src/') || file.startsWith('node-control/');
}

/**
 * A compiled file with the rules switched off that are named. The compiler breaks and indents lines in its own way, and leaves these as they are
 * otherwise: a test says so.
 *
 * @throws TypeError for a rule that is not known, RangeError where a line is not there exactly once
 */
export function patchedText(path: string, text: string, off: readonly string[]): string {
  let patched = text;
  for (const id of off) {
    for (const { file, find, put } of switchCalled(id).patches) {
      if (file.replace(/\.ts$/, '.js') !== path) continue;
      const pieces = patched.split(withAnyGaps(find));
      if (pieces.length !== 2) throw new RangeError(`${path} has ${pieces.length - 1} times: ${find}`);
      patched = pieces.join(put);
    }
  }
  return patched;
}

function withAnyGaps(find: string): RegExp {
  return new RegExp(find.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&').replaceAll(/\s+/g, '\\s+'));
}

export function switchCalled(id: string): Switch {
  const found = SWITCHES.find((each) => each.id === id);
  if (!found) throw new TypeError(`no rule is called ${id}`);
  return found;
}
