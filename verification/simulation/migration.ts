import { parse, type Step } from '../../node-control/safety/typed-step.js';

/** The commands of the README, in its order, for acceptors called A, B and C. Each is repeated until it succeeds, and only then comes the next. */
export const START = [
  'add-accept all A 1', //
  'add-prepare all A 1',
];

export const GROW = [
  'add-accept all B 2', //
  'rescan A,B 2',
  'add-prepare all B 2',
  'add-accept all C 2',
  'add-prepare all C 2',
];

export const SHRINK = [
  'rm-accept all C 2', //
  'rm-prepare all C 2',
  'rescan A,B 2',
  'rm-accept all B 1',
  'rm-prepare all B 1',
];

export const WIPE = [
  'wipe-acceptor B', //
  'wipe-acceptor C',
];

/** Other quorums on the same three acceptors: one is enough to accept, while all have to promise; and back. */
export const FLEX = [
  'add-prepare all C 3', //
  'add-accept all C 1',
  'add-accept all C 2',
  'rescan A,B,C 3',
  'add-prepare all C 2',
];

/** The steps that these commands are, with the names of acceptors in place of the letters. */
export function forAcceptors(commands: readonly string[], names: readonly string[]): Step[] {
  return commands.map((command) => parse(command.replace(/\b[ABC]\b/g, (letter) => names['ABC'.indexOf(letter)] ?? letter)));
}
