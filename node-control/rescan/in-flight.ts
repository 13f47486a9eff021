/** Runs a bounded number of tasks at a time. */
export class InFlight {
  readonly #most: number;
  readonly #tasks = new Set<Promise<void>>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Waits for room, and begins the task. Rejects if one before it did. */
  async begin(task: () => Promise<void>): Promise<void> {
    while (this.#tasks.size >= this.#most) await Promise.race(this.#tasks);
    const running = task().then(() => void this.#tasks.delete(running));
    this.#tasks.add(running);
    // One that fails stays, and is heard of by the next who waits.
    running.catch(() => undefined);
  }

  /** Waits for all that were begun. Rejects if one did. */
  async settled(): Promise<void> {
    await Promise.all(this.#tasks);
  }
}
