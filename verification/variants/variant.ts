import type { ScenarioName } from '../simulation/scenario-names.js';

/** One change to one file. */
export interface Patch {
  /** A TypeScript file, from the project's folder. */
  readonly file: string;
  /** A piece of it that is there exactly once. */
  readonly find: string;
  readonly put: string;
}

export const patch = (file: string, find: string, put: string): Patch => ({ file, find, put });

/** A program that breaks a rule by a few lines, and what shows it. */
export interface Variant {
  /** What is wrong with it. */
  readonly name: string;
  readonly patches: readonly Patch[];
  /** What switches the guard off that would have refused it. With the patches alone nothing may be lost, from the seed on that shows it. */
  readonly unguarded?: readonly Patch[];
  readonly scenario: ScenarioName;
  /** A violation has to show within so many seeds; of one that is harmless, none. */
  readonly seeds: number;
  /** The one that showed it last: it is tried first. Where it does not any more, the search begins at 1. */
  readonly seed?: number;
  /** Why nothing is lost all the same. */
  readonly harmless?: string;
  /** If a visitor of the playground can switch it. */
  readonly playground?: {
    /** In addresses. */
    readonly id: string;
    /** What is wrong if only the guard is switched off, which is then all that the playground does. */
    readonly unguarded?: string;
    /** False if no level is about it. */
    readonly isLevel?: false;
  };
}

/**
 * One of them, as a line of a table.
 * @param shown the scenario, the number of seeds, and the seed that showed it last
 */
export function broken(
  name: string,
  [scenario, seeds, seed]: readonly [ScenarioName, seeds: number, seed?: number],
  more: Pick<Variant, 'unguarded' | 'harmless' | 'playground'>,
  patches: readonly Patch[],
): Variant {
  return { name, patches, scenario, seeds, ...(seed !== undefined && { seed }), ...more };
}
