export type StepPhase = 'prepare' | 'accept';

/** One command of a membership change. `proposers` is the name of one, or `all`. */
export type Step =
  | {
      readonly verb: 'add' | 'rm';
      readonly phase: StepPhase;
      readonly proposers: string;
      readonly acceptor: string;
      /** Of the set from then on. */
      readonly quorum: number;
    }
  | { readonly verb: 'rescan'; readonly acceptors: readonly string[]; readonly required: number }
  | { readonly verb: 'resize'; readonly acceptors: readonly string[] }
  | { readonly verb: 'copy'; readonly from: string; readonly proposers: string }
  | { readonly verb: 'wipe'; readonly proposers: string }
  | { readonly verb: 'wipe-acceptor'; readonly acceptor: string }
  | { readonly verb: 'collect' };

export type StepOf<Verb extends Step['verb']> = Extract<Step, { readonly verb: Verb }>;

/** As it is typed behind `run-control.sh`: `add-accept all acceptor-2:6379 2`. */
export function typed(step: Step): string {
  switch (step.verb) {
    case 'add':
    case 'rm':
      return `${step.verb}-${step.phase} ${step.proposers} ${step.acceptor} ${step.quorum}`;
    case 'rescan':
      return `rescan ${step.acceptors.join(',')} ${step.required}`;
    case 'resize':
      return `resize ${step.acceptors.join(',')}`;
    case 'copy':
      return `copy ${step.from} ${step.proposers}`;
    case 'wipe':
      return `wipe ${step.proposers}`;
    case 'wipe-acceptor':
      return `wipe-acceptor ${step.acceptor}`;
    case 'collect':
      return 'collect';
  }
}

type Maker = (...words: [string, string, string]) => Step;

const changing =
  (verb: 'add' | 'rm', phase: StepPhase): Maker =>
  (proposers, acceptor, quorum) => ({ verb, phase, proposers, acceptor, quorum: wholeNumber(quorum) });

/** How many words follow the name of a command, and the step that they make. */
const MAKERS: ReadonlyMap<string, readonly [words: number, make: Maker]> = new Map([
  ['add-accept', [3, changing('add', 'accept')]],
  ['rm-accept', [3, changing('rm', 'accept')]],
  ['add-prepare', [3, changing('add', 'prepare')]],
  ['rm-prepare', [3, changing('rm', 'prepare')]],
  ['rescan', [2, (acceptors, required) => ({ verb: 'rescan', acceptors: namesIn(acceptors), required: wholeNumber(required) })]],
  ['resize', [1, (acceptors) => ({ verb: 'resize', acceptors: namesIn(acceptors) })]],
  ['copy', [2, (from, proposers) => ({ verb: 'copy', from, proposers })]],
  ['wipe', [1, (proposers) => ({ verb: 'wipe', proposers })]],
  ['wipe-acceptor', [1, (acceptor) => ({ verb: 'wipe-acceptor', acceptor })]],
  ['collect', [0, () => ({ verb: 'collect' })]],
]);

/**
 * The step that is typed like this: `parse(typed(step))` is the step again.
 * @throws TypeError if it is none, or a number or a list of names is not well formed
 */
export function parse(text: string): Step {
  return stepOf(text.split(' '));
}

/** As {@link parse}, with the words apart. */
export function stepOf([name = '', ...words]: readonly string[]): Step {
  const [count, make] = MAKERS.get(name) ?? [];
  const [first = '', second = '', third = ''] = words;
  if (!make || words.length !== count) throw new TypeError(`unknown command of the control node: ${[name, ...words].join(' ')}`);
  return make(first, second, third);
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new TypeError('It must be a whole number.');
  return Number(text);
}

/** Names with commas between. Throws if one is empty or given twice. */
export function namesIn(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('') || new Set(names).size < names.length) throw new TypeError('It must be names with commas between, each once.');
  return names;
}
