/** Between two lines of progress if the output is no terminal. */
const LINE_EVERY_MS = 2_000;
/** Between two states of the bar on a terminal. */
const BAR_EVERY_MS = 100;
const BAR_CELLS = 24;

/** One line that is overwritten on a terminal; a line now and then if the output is piped. */
export class Progress {
  readonly #out: Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'>;
  #lastMs = performance.now();
  #isOpen = false;

  constructor(out: Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'>) {
    this.#out = out;
  }

  /** @param fraction done, from 0 to 1: drawn as a bar on a terminal */
  show(text: string, fraction?: number): void {
    const isTerminal = this.#out.isTTY && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
    const nowMs = performance.now();
    if (nowMs - this.#lastMs < (isTerminal ? BAR_EVERY_MS : LINE_EVERY_MS)) return;
    this.#lastMs = nowMs;
    const line = fraction === undefined ? text : `${bar(fraction)} ${text}`;
    // A line that is wrapped could not be overwritten.
    this.#out.write(isTerminal ? `\r\u001B[K${line.slice(0, (this.#out.columns || line.length + 1) - 1)}` : `${text}\n`);
    this.#isOpen = isTerminal;
  }

  /** Before anything else is printed. */
  end(): void {
    if (this.#isOpen) this.#out.write('\r\u001B[K');
    this.#isOpen = false;
  }
}

function bar(fraction: number): string {
  const full = Math.floor(Math.min(1, Math.max(0, fraction)) * BAR_CELLS);
  return `[${'#'.repeat(full)}${'.'.repeat(BAR_CELLS - full)}] ${String(Math.floor(fraction * 100)).padStart(3)}%`;
}
