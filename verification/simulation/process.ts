import type { Time } from '../../src/protocol/time.js';
import type { VirtualTime } from './virtual-time.js';

/** A running program. Once it is killed no timer of its own fires and no message reaches it: none of its code ever runs again. */
export class Process {
  readonly time: Time;
  #alive = true;

  constructor(time: VirtualTime) {
    this.time = {
      nowMs: () => time.nowMs(),
      after: (delayMs, fire) =>
        time.after(delayMs, () => {
          if (this.#alive) fire();
        }),
    };
  }

  get alive(): boolean {
    return this.#alive;
  }

  kill(): void {
    this.#alive = false;
  }
}
