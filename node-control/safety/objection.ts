import { type Step, typed } from './typed-step.js';

/** What to do about it. */
export interface Advice {
  /** In words, without a full stop at the end. */
  readonly advice: string;
  /** What is to be typed, in this order: printed behind the words. */
  readonly steps?: readonly Step[];
}

/** Why something is not done, without a full stop at the end, and what to do about it. */
export interface Objection extends Advice {
  readonly why: string;
}

/** Something that the operator has to see to. The message says what, and ends with what to do next. */
export class ControlError extends Error {
  /** The steps that the message tells its reader to type first, in their order. */
  readonly steps: readonly Step[];

  constructor(message: string, ...advices: readonly Advice[]) {
    super([message, ...(advices.length === 0 ? [] : [[...new Set(advices.map(adviceText))].join('; ')])].join('. '));
    this.steps = advices.flatMap(({ steps = [] }) => steps);
  }
}

/** The words of whatever was thrown, to be put into a message. */
export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** What to catch with where a refusal is an answer, too. */
export function ifRefused(error: unknown): undefined {
  if (!(error instanceof ControlError)) throw error;
}

/** `First: ./run-control.sh rescan acceptor-1:6379 1; ./run-control.sh add-prepare all acceptor-2:6379 2`. */
export function adviceText({ advice, steps = [] }: Advice): string {
  return steps.length === 0 ? advice : `${advice}: ${steps.map(commandLine).join('; ')}`;
}

/** A step as an operator types it in `node-control/`. */
export function commandLine(step: Step): string {
  return `./run-control.sh ${typed(step)}`;
}

export function keysText(count: number): string {
  return `${count} key${count === 1 ? '' : 's'}`;
}
