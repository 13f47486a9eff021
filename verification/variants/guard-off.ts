import { type Patch, patch } from './variant.js';

/** Ways to switch off one part of the guard each. */
export const NO_DANGERS: readonly Patch[] = [
  patch('node-control/safety/guard.ts', 'for (const asks of running) {', 'for (const asks of []) {'),
];

export const NO_DEBTS: readonly Patch[] = [
  patch('node-control/safety/guard.ts', 'for (const accept of before.resting ?? []) {', 'for (const accept of []) {'),
];

export const ANY_MAY_JOIN: readonly Patch[] = [
  patch('node-control/step/joining.ts', 'objections: [...objections, ...twins(newcomers, identities)] };', 'objections: [] };'),
];

export const ANY_MAY_BE_WIPED: readonly Patch[] = [
  patch(
    'node-control/commands/wipe-acceptor.ts',
    'const objections = await objectionsToWipe(nodes, acceptor, identity, size);',
    'const objections = [];',
  ),
];

/** However few copies of a value are left. */
export const COPIES_DO_NOT_COUNT: Patch = patch(
  'node-control/safety/guard.ts',
  'return fewer > 0 && quorum - fewer < accept.quorum;',
  'return false;',
);

/** A step without those proposers that do not answer. */
export const SOME_PROPOSERS: readonly Patch[] = [
  patch('node-control/nodes/nodes.ts', 'if (missing.length > 0) {', 'if (missing.length > 1) {'),
];

/** A step on top of half of another one. */
export const NO_AGREEMENT: readonly Patch[] = [
  patch(
    'node-control/step/judge.ts',
    '...(isSettled || selected.length < transitions.length || agree(transitions.map(({ after }) => after)) ? [] : [HALF_DONE]),',
    '',
  ),
];

/** An operator who is told no goes on to the next command soon. */
export const HASTY: readonly Patch[] = [patch('verification/simulation/settings.ts', ': isFree ? 50 : 1_000', ': isFree ? 50 : 20')];

/** After wrong commands others may be impossible: the rest of them is typed all the same. */
export const UNDETERRED = patch('verification/simulation/stepwise.ts', '      if (!isDone && inOrder) unfinished = [command];\n', '');
