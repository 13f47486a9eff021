/** A message that arrived, or was lost. */
export interface TracedMessage {
  readonly from: string;
  readonly to: string;
  /** See `Letter`. */
  readonly kind: string;
  readonly sentAtMs: number;
  readonly isLost: boolean;
}

/** Something that happened; a message arrives then, or was lost when it was sent. */
export interface TraceLine {
  readonly atMs: number;
  readonly text: string;
  readonly message?: TracedMessage;
}

/** What happened, in lines; keeps nothing unless somebody wants to read it. */
export class Trace {
  readonly lines: TraceLine[] = [];
  readonly #nowMs: () => number;
  readonly #isKept: boolean;

  constructor(nowMs: () => number, isKept: boolean) {
    this.#nowMs = nowMs;
    this.#isKept = isKept;
  }

  message(message: TracedMessage, text: () => string): void {
    if (this.#isKept) this.lines.push({ atMs: this.#nowMs(), text: `${message.from} -> ${message.to}  ${text()}`, message });
  }

  event(text: () => string): void {
    if (this.#isKept) this.lines.push({ atMs: this.#nowMs(), text: text() });
  }
}
