import type { Time } from '../../src/protocol/time.js';

interface Timer {
  readonly atMs: number;
  readonly fire: () => void;
}

/** So often the real event loop gets a turn: signals, and the progress that a terminal shows. */
const SETTLED_PER_TURN = 1_000;

/** A clock that stands still until a test moves it. Timers of the same moment fire in the order they were set. */
export class VirtualTime implements Time {
  #nowMs = 0;
  /** The next to fire is the last: timers leave from the end. */
  readonly #timers: Timer[] = [];
  #settled = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, fire: () => void): () => void {
    const timer: Timer = { atMs: this.#nowMs + delayMs, fire };
    let at = this.#timers.length;
    while (at > 0 && (this.#timers[at - 1]?.atMs ?? 0) <= timer.atMs) at -= 1;
    this.#timers.splice(at, 0, timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index >= 0) this.#timers.splice(index, 1);
    };
  }

  /** Timers that are still to fire: what a finished test leaves behind is a leak. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Lets everything happen that needs no time to pass. Node runs a tick only when no promise has anything left to do. */
  settle(): Promise<void> {
    this.#settled += 1;
    return new Promise((resolve) => (this.#settled % SETTLED_PER_TURN === 0 ? setImmediate(resolve) : process.nextTick(resolve)));
  }

  /** Moves the clock, firing what falls due on the way. */
  advance(byMs: number): Promise<void> {
    return this.advanceTo(this.#nowMs + byMs);
  }

  /** The same, to a moment. One that is past already changes nothing. */
  async advanceTo(untilMs: number): Promise<void> {
    await this.settle();
    while ((this.#timers.at(-1)?.atMs ?? Infinity) <= untilMs) {
      this.#fireNext();
      await this.settle();
    }
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  /** Moves the clock for as long as a promise needs. Throws where it waits for something that no timer brings. */
  async run<Result>(promise: Promise<Result>): Promise<Result> {
    let done = false;
    const mark = (): void => {
      done = true;
    };
    const settled = (): boolean => done;
    promise.then(mark, mark);
    await this.settle();
    while (!settled()) {
      if (this.#timers.length === 0) throw new Error('nothing will ever settle this promise');
      this.#fireNext();
      await this.settle();
    }
    return promise;
  }

  #fireNext(): void {
    const timer = this.#timers.pop();
    if (!timer) return;
    this.#nowMs = timer.atMs;
    timer.fire();
  }
}
