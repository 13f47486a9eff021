import type { Time } from '../../src/protocol/time.js';

/** Keys for one request to a proposer. */
export interface KeyBatch {
  readonly keys: readonly string[];
  /** How often it came back with nothing done. */
  readonly returns: number;
}

/** Between those who list keys and those who work on them: a few batches wait, and the listing waits while there are so many. */
export class BatchQueue {
  readonly #capacity: number;
  readonly #batches: KeyBatch[] = [];
  #underWay = 0;
  #isClosed = false;
  #error: Error | undefined;
  #wake: () => void = () => undefined;
  #change = this.#nextChange();

  /** @param capacity how many batches may wait */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** Why it ended before its end, if it did. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** Waits for room. Rejects once the queue has failed. */
  async put(keys: readonly string[]): Promise<void> {
    while (!this.#error && this.#batches.length >= this.#capacity) await this.#change;
    if (this.#error) throw this.#error;
    this.#batches.push({ keys, returns: 0 });
    this.#changed();
  }

  /** The next batch, to be finished or given back; undefined when there will be none. One that is under way with others may come back. */
  async take(): Promise<KeyBatch | undefined> {
    for (;;) {
      const batch = this.#isOver ? undefined : this.#batches.shift();
      if (batch) {
        this.#underWay += 1;
        this.#changed();
        return batch;
      }
      if (this.#isOver) return undefined;
      await this.#change;
    }
  }

  finish(): void {
    this.#underWay -= 1;
    this.#changed();
  }

  /** The next worker takes it first. */
  giveBack({ keys, returns }: KeyBatch): void {
    this.#underWay -= 1;
    this.#batches.unshift({ keys, returns: returns + 1 });
    this.#changed();
  }

  /** There are no more to come. */
  close(): void {
    this.#isClosed = true;
    this.#changed();
  }

  /** Ends it at once. The first reason counts. */
  fail(error: Error): void {
    this.#error ??= error;
    this.#changed();
  }

  /** A pause, cut short by the end of the queue. */
  async pause(time: Time, delayMs: number): Promise<void> {
    let isUp = false;
    const cancel = time.after(delayMs, () => {
      isUp = true;
      this.#changed();
    });
    // Set by the callback.
    while (!(isUp as boolean) && !this.#isOver) await this.#change;
    cancel();
  }

  get #isOver(): boolean {
    return this.#error !== undefined || (this.#isClosed && this.#batches.length === 0 && this.#underWay === 0);
  }

  #changed(): void {
    const wake = this.#wake;
    this.#change = this.#nextChange();
    wake();
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }
}
