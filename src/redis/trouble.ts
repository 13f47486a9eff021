import { TimedOut } from '../protocol/errors.js';
import { type RefusalReason, RefusedToRun } from './refusals.js';

export type TroubleReason = RefusalReason | 'timeout';

/** What keeps an acceptor that is connected, the one that is meant, and fit, from doing what it is told. */
export interface AcceptorTrouble {
  readonly reason: TroubleReason;
  /** For people. */
  readonly text: string;
  readonly sinceMs: number;
}

/** @param present undefined: it does again what it is told */
export type OnTrouble = (present: AcceptorTrouble | undefined) => void;

/** Of one that is late. */
const MORE_TIME = 'if its disk is slow, or the way long, ACCEPTOR_TIMEOUT_MS gives it more time';

/** It is over when nothing was refused or late for so long: one that is slow has many ends and beginnings in a second. */
const CALM_MS = 1_000;
/** How often it is looked whether it is over: where nobody writes any more, no success would show it. */
const TRY_EVERY_MS = 1_000;

export function troubleReasonOf(error: unknown): TroubleReason | undefined {
  if (error instanceof RefusedToRun) return error.reason;
  return error instanceof TimedOut ? 'timeout' : undefined;
}

/** Makes one beginning and one end of many failures. */
export class TroubleWatch {
  readonly #tryWrite: () => Promise<unknown>;
  readonly #onTrouble: OnTrouble | undefined;
  #present: AcceptorTrouble | undefined;
  #lastMs = 0;
  #nextTry: NodeJS.Timeout | undefined;

  /** @param tryWrite rejects if the acceptor would not write now, and has told this watch by then */
  constructor(tryWrite: () => Promise<unknown>, onTrouble: OnTrouble | undefined) {
    this.#tryWrite = tryWrite;
    this.#onTrouble = onTrouble;
  }

  get present(): AcceptorTrouble | undefined {
    return this.#present;
  }

  failed(error: unknown): void {
    const reason = troubleReasonOf(error);
    if (reason === undefined) return;
    this.#lastMs = performance.now();
    // That it is late as well says less than what it answers.
    if (this.#present && (this.#present.reason === reason || reason === 'timeout')) return;
    const text = error instanceof Error ? error.message : reason;
    this.#become({ reason, text: reason === 'timeout' ? `${text} (${MORE_TIME})` : text, sinceMs: Date.now() });
    this.#tryLater();
  }

  worked(): void {
    if (!this.#present || performance.now() - this.#lastMs < CALM_MS) return;
    this.stop();
    this.#onTrouble?.(undefined);
  }

  /** The connection is gone, and what was wrong is nobody's business any more. */
  stop(): void {
    clearTimeout(this.#nextTry);
    this.#present = undefined;
  }

  #become(trouble: AcceptorTrouble): void {
    this.#present = trouble;
    this.#onTrouble?.(trouble);
  }

  #tryLater(): void {
    clearTimeout(this.#nextTry);
    this.#nextTry = setTimeout(() => void this.#try(), TRY_EVERY_MS);
  }

  async #try(): Promise<void> {
    // Whether it worked or failed was noted.
    await this.#tryWrite().catch(() => undefined);
    if (this.#present) this.#tryLater();
  }
}
