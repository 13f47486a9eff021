/** What happened, in lines; keeps nothing unless somebody wants to read it. */
export class Trace {
  readonly lines: { readonly atMs: number; readonly text: string; readonly isMessage: boolean }[] = [];
  readonly #nowMs: () => number;
  readonly #isKept: boolean;

  constructor(nowMs: () => number, isKept: boolean) {
    this.#nowMs = nowMs;
    this.#isKept = isKept;
  }

  message(from: string, to: string, text: () => string): void {
    if (this.#isKept) this.lines.push({ atMs: this.#nowMs(), text: `${from} -> ${to}  ${text()}`, isMessage: true });
  }

  event(text: () => string): void {
    if (this.#isKept) this.lines.push({ atMs: this.#nowMs(), text: text(), isMessage: false });
  }
}
