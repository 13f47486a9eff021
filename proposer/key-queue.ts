import { PrepareError } from '../src/errors.js';

/** One turn at a time for each key, in the order of arrival. */
export class KeyQueue {
  readonly #waiting = new Map<string, (() => void)[]>();

  /**
   * @param waitMs how long to wait for the turn
   * @throws PrepareError where the turn did not come in time; the task then never runs
   */
  async run<Result>(key: string, waitMs: number, task: () => Promise<Result>): Promise<Result> {
    await this.#turn(key, waitMs);
    try {
      return await task();
    } finally {
      const next = this.#waiting.get(key)?.shift();
      if (next) next();
      else this.#waiting.delete(key);
    }
  }

  #turn(key: string, waitMs: number): Promise<void> {
    const waiting = this.#waiting.get(key);
    if (!waiting) {
      this.#waiting.set(key, []);
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const takeTurn = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(takeTurn), 1);
        reject(new PrepareError('other requests for this key were in the way'));
      }, waitMs);
      waiting.push(takeTurn);
    });
  }
}
