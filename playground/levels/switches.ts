import type { Patch } from '../../verification/variants/patch.js';
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

/** Short names of broken variants of verification/variants/. Of some only what switches the guard off, which has a name of its own then. */
const NAMES: readonly (readonly [id: string, variant: string, unguarded?: string])[] = [
  ['quorum', 'a quorum is one acceptor of three'],
  ['promise', 'accept ignores the promise'],
  ['stored', 'a promise is not stored'],
  ['again', 'a ballot is used again after a failed accept'],
  ['failed', 'an unknown write is reported as failed'],
  ['blind', 'a write is repeated blindly, without its operation id'],
  ['cache', 'a mismatch is reported from the cache'],
  ['read', 'a read by quorum needs a prepare quorum only'],
  ['names', 'the name of an operation is not looked up before it is applied'],
  ['version', 'a key that is created anew begins at version 1'],
  ['strings', 'ballots are compared as strings'],
  ['debts', 'the rescan is left out when growing', 'the guard does not ask for a rescan'],
  ['identity', 'an acceptor is wiped that the proposers list, and nobody checks who it is', 'nobody checks who an acceptor is'],
  ['floor', 'an absent register takes any ballot, whatever was collected'],
  ['eras', 'no era in the ballot, and a proposer does not catch up with the counters that it meets'],
];

export const SWITCHES: readonly Switch[] = NAMES.map(([id, name, unguarded]) => {
  const variant = VARIANTS.find((each) => each.name === name);
  if (!variant) throw new TypeError(`there is no variant: ${name}`);
  const patches = unguarded === undefined ? variant.patches : (variant.unguarded ?? []);
  return { id, name: unguarded ?? name, patches: patches.filter(isOfProgram) };
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
