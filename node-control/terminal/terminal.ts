import type { Progress } from './progress.js';

/** Where a command tells how far it is. */
export interface Terminal {
  /** For a line that is said while the command runs. */
  readonly print: (line: string) => void;
  readonly progress: Pick<Progress, 'show'>;
}

/** For a program that nobody watches. */
export const UNSEEN: Terminal = { print: () => undefined, progress: { show: () => undefined } };
