import { NetworkError, KeyValueClient } from '../src/http-client.js';

/** What the clients saw in a stretch of time. */
export interface Seen {
  readonly seconds: number;
  /** Answered requests. */
  readonly requests: number;
  /** Writes that took effect. */
  readonly writes: number;
  readonly networkErrors: number;
  /** Answers other than 200, 201, 404 `KeyNotFound` and 409, by code and reason. */
  readonly otherAnswers: Readonly<Record<string, number>>;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The longest that any client waited for an answer. */
  readonly longestMs: number;
}

/** Clients that read a random key and write it back with one more, each without a pause, spread over all proposers. */
export class Load {
  readonly #clients: readonly KeyValueClient[];
  readonly #keys: readonly string[];
  readonly #loops: Promise<void>[];
  #isOver = false;
  #begunMs = performance.now();
  #waits: number[] = [];
  #writes = 0;
  #networkErrors = 0;
  #otherAnswers: Record<string, number> = {};
  readonly #waiting = new Map<number, number>();

  /** @param addresses of the proposers' ports for clients */
  constructor(addresses: readonly string[], keys: readonly string[], count: number) {
    this.#clients = addresses.map((address) => new KeyValueClient(address));
    this.#keys = keys;
    this.#loops = Array.from({ length: count }, (_, index) => this.#loop(index));
  }

  /** What was seen since the last time. */
  look(): Seen {
    const nowMs = performance.now();
    // Whoever waits still, waits in this stretch.
    const open = [...this.#waiting.values()].map((sinceMs) => nowMs - sinceMs);
    const sorted = this.#waits.sort((a, b) => a - b);
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
    const seen: Seen = {
      seconds: (nowMs - this.#begunMs) / 1_000,
      requests: sorted.length,
      writes: this.#writes,
      networkErrors: this.#networkErrors,
      otherAnswers: this.#otherAnswers,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      longestMs: Math.max(0, sorted.at(-1) ?? 0, ...open),
    };
    this.#begunMs = nowMs;
    [this.#waits, this.#writes, this.#networkErrors, this.#otherAnswers] = [[], 0, 0, {}];
    return seen;
  }

  /** Ends every client after its last answer. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  async #loop(index: number): Promise<void> {
    const client = this.#clients[index % this.#clients.length];
    while (client && !this.#isOver) {
      const key = this.#keys[Math.floor(Math.random() * this.#keys.length)] ?? '';
      const read = await this.#timed(index, () => client.get(key));
      if (!read || (!read.ok && read.code !== 'KeyNotFound')) continue;
      const { ver, val } = read.ok ? read.body : { ver: 0, val: 0 };
      const written = await this.#timed(index, () => client.put(key, ver, typeof val === 'number' ? val + 1 : val));
      if (written?.ok) this.#writes += 1;
    }
  }

  async #timed(
    index: number,
    ask: () => ReturnType<KeyValueClient['get']>,
  ): Promise<Awaited<ReturnType<KeyValueClient['get']>> | undefined> {
    const sinceMs = performance.now();
    this.#waiting.set(index, sinceMs);
    try {
      const answer = await ask();
      this.#waits.push(performance.now() - sinceMs);
      if (!answer.ok && answer.code !== 'KeyNotFound' && answer.status !== 409) {
        const answered = `${answer.code} (${answer.message})`;
        this.#otherAnswers[answered] = (this.#otherAnswers[answered] ?? 0) + 1;
      }
      return answer;
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      this.#networkErrors += 1;
      return undefined;
    } finally {
      this.#waiting.delete(index);
    }
  }
}
