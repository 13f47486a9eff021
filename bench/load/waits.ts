/** How long things took in a stretch of time. */
export interface Latency {
  /** How many ended. */
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Also of those that have not ended yet. */
  readonly longestMs: number;
}

/** Measures how long each of several clients waits; a client waits for one thing at a time. */
export class Waits {
  #endedMs: number[] = [];
  readonly #openSinceMs = new Map<number, number>();

  begin(client: number): void {
    this.#openSinceMs.set(client, performance.now());
  }

  /** @param counts false for what came to nothing */
  end(client: number, counts: boolean): void {
    const sinceMs = this.#openSinceMs.get(client);
    this.#openSinceMs.delete(client);
    if (counts && sinceMs !== undefined) this.#endedMs.push(performance.now() - sinceMs);
  }

  /** What ended since the last time. */
  look(): Latency {
    const nowMs = performance.now();
    // Whoever waits still, waits in this stretch.
    const openMs = [...this.#openSinceMs.values()].map((sinceMs) => nowMs - sinceMs);
    const sorted = Float64Array.from(this.#endedMs).sort();
    this.#endedMs = [];
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), longestMs: Math.max(0, sorted.at(-1) ?? 0, ...openMs) };
  }
}
