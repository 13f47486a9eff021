import type { FunnelCounts } from '../src/http/funnel-stream.js';
import type { Time } from '../src/protocol/time.js';

const SECOND_MS = 1_000;

export function noCounts(): FunnelCounts {
  return { readAttempts: 0, reads: 0, writes: 0, networkErrors: 0 };
}

export function header(proposers: number, keys: number, clients: number): string {
  return `# proposers: ${proposers}\n# keys: ${keys}\n# clients: ${clients}\n`;
}

export function line(second: number, columns: readonly FunnelCounts[]): string {
  const shown = columns.map(({ readAttempts, reads, writes, networkErrors }) => `[${readAttempts}-${reads}-${writes} ${networkErrors}]`);
  return [second, ...shown].join('\t') + '\n';
}

/** Prints a line for each second, and begins to count anew. */
export class Funnel {
  readonly #time: Time;
  readonly #columns: readonly FunnelCounts[];
  readonly #print: (second: number, columns: readonly FunnelCounts[]) => void;
  #cancel = (): void => undefined;

  /** @param columns one for each coroutine, which adds to it */
  constructor(time: Time, columns: readonly FunnelCounts[], print: (second: number, columns: readonly FunnelCounts[]) => void) {
    this.#time = time;
    this.#columns = columns;
    this.#print = print;
  }

  /** Prints line 0 at once, and line n when n seconds are over. @param printed is told n after each line but line 0 */
  start(printed: (second: number) => void): void {
    const startMs = this.#time.nowMs();
    this.#show(0);
    const schedule = (next: number): void => {
      // Always from the start: what one line was late does not add up.
      const delayMs = Math.max(0, startMs + next * SECOND_MS - this.#time.nowMs());
      this.#cancel = this.#time.after(Math.ceil(delayMs), () => {
        // After a long stop of this process (Ctrl-Z), the present second: neither a burst of empty lines, nor a clock that lags behind.
        const second = Math.max(next, Math.floor((this.#time.nowMs() - startMs) / SECOND_MS));
        this.#show(second);
        schedule(second + 1);
        printed(second);
      });
    };
    schedule(1);
  }

  stop(): void {
    this.#cancel();
  }

  #show(second: number): void {
    this.#print(second, this.#columns);
    for (const column of this.#columns) Object.assign(column, noCounts());
  }
}
