/** The clock of the world that the protocol runs in: the system's, or the simulation's. Times are in milliseconds. */
export interface Time {
  /** Since some fixed moment; only differences count. */
  nowMs(): number;
  /** Calls `fire` once after a delay; the returned function calls it off. */
  after(delayMs: number, fire: () => void): () => void;
}

export function sleep(time: Time, delayMs: number): Promise<void> {
  return new Promise((resolve) => void time.after(delayMs, resolve));
}
