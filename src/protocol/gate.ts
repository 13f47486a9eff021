/** Lets many rounds through at a time, or one change of configuration alone: the change waits for the rounds, new rounds wait for the change. */
export class Gate {
  #running = 0;
  #closed: Promise<void> | undefined;
  #drained: (() => void) | undefined;

  /** Runs beside other shared tasks, never beside an exclusive one. */
  async shared<Result>(task: () => Promise<Result>): Promise<Result> {
    while (this.#closed) await this.#closed;
    this.#running += 1;
    try {
      return await task();
    } finally {
      this.#running -= 1;
      if (this.#running === 0) this.#drained?.();
    }
  }

  /** Runs alone, after every task that began before. */
  async exclusive<Result>(task: () => Promise<Result>): Promise<Result> {
    while (this.#closed) await this.#closed;
    let open = (): void => undefined;
    this.#closed = new Promise((resolve) => (open = resolve));
    try {
      if (this.#running > 0) await new Promise<void>((resolve) => (this.#drained = resolve));
      return await task();
    } finally {
      this.#drained = undefined;
      this.#closed = undefined;
      open();
    }
  }
}
