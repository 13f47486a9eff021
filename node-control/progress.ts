/** Between two lines of progress where the output is no terminal. */
const LINE_EVERY_MS = 2_000;

/** One line that is overwritten on a terminal; a line now and then where the output is piped. */
export class Progress {
  readonly #out: NodeJS.WriteStream;
  #lastMs = Date.now();
  #isOpen = false;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  show(text: string): void {
    const isTerminal = this.#out.isTTY && !process.env['NO_COLOR'];
    const nowMs = Date.now();
    if (nowMs - this.#lastMs < (isTerminal ? 100 : LINE_EVERY_MS)) return;
    this.#lastMs = nowMs;
    this.#out.write(isTerminal ? `\r\u001B[K${text}` : `${text}\n`);
    this.#isOpen = isTerminal;
  }

  /** Before anything else is printed. */
  end(): void {
    if (this.#isOpen) this.#out.write('\r\u001B[K');
    this.#isOpen = false;
  }
}
