import { setTimeout as sleep } from 'node:timers/promises';
import { NetworkError } from '../../src/http/client.js';
import { type HeldValue, type LoadedStore, NotServed } from './loaded-store.js';
import { type Latency, Waits } from './waits.js';

/** What the clients saw in a stretch of time. */
export interface Seen {
  readonly seconds: number;
  /** Each request that was answered. */
  readonly requests: Latency;
  /** Each read, or read and write, that was served; with {@link LoadOptions.fallsOver}, from its first request to its last. */
  readonly operations: Latency;
  /** Writes that took effect. */
  readonly writes: number;
  /** Writes that came too late: the key had changed since it was read. */
  readonly mismatches: number;
  readonly networkErrors: number;
  /** Answers that neither served nor told of such a mismatch, by code and reason. */
  readonly otherAnswers: Readonly<Record<string, number>>;
}

export interface LoadOptions {
  /** One for each node; the clients are spread over them. */
  readonly stores: readonly LoadedStore[];
  readonly keys: readonly string[];
  readonly clients: number;
  /** Of the operations, from 0 to 1; the others read a key and write it back with one more. */
  readonly shareOfReads?: number;
  /** Increments by a change function, where the store has one. */
  readonly adds?: boolean;
  /** The number of the node for a key; without it each client has a node of its own. */
  readonly nodeOf?: (key: string) => number;
  /** Turns to the next node with what one did not serve, until it is served. */
  readonly fallsOver?: boolean;
}

/** Where no node serves, so that the clients leave the processor to those that come back. */
const PAUSE_MS = 5;

/** Clients that read random keys, or increment them by a read and a write, each without a pause. */
export class Load {
  readonly #options: LoadOptions;
  readonly #loops: Promise<void>[];
  #isOver = false;
  #begunMs = performance.now();
  readonly #requests = new Waits();
  readonly #operations = new Waits();
  #writes = 0;
  #mismatches = 0;
  #networkErrors = 0;
  #otherAnswers: Record<string, number> = {};

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#loops = Array.from({ length: options.clients }, (_, client) => this.#loop(client));
  }

  /** What was seen since the last time. */
  look(): Seen {
    const nowMs = performance.now();
    const seen: Seen = {
      seconds: (nowMs - this.#begunMs) / 1_000,
      requests: this.#requests.look(),
      operations: this.#operations.look(),
      writes: this.#writes,
      mismatches: this.#mismatches,
      networkErrors: this.#networkErrors,
      otherAnswers: this.#otherAnswers,
    };
    this.#begunMs = nowMs;
    [this.#writes, this.#mismatches, this.#networkErrors, this.#otherAnswers] = [0, 0, 0, {}];
    return seen;
  }

  /** Ends every client after its last answer, and closes the stores. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
    await Promise.all(this.#options.stores.map((store) => store.close()));
  }

  async #loop(client: number): Promise<void> {
    const { keys, shareOfReads = 0, nodeOf } = this.#options;
    let at = client;
    while (!this.#isOver) {
      const key = keys[Math.floor(Math.random() * keys.length)] ?? '';
      at = await this.#operation(client, nodeOf?.(key) ?? at, key, Math.random() < shareOfReads);
    }
  }

  /** @param at the number of the node to begin with. Returns the one to go on with. */
  async #operation(client: number, at: number, key: string, onlyReads: boolean): Promise<number> {
    const { stores, fallsOver = false } = this.#options;
    let failures = 0;
    let isServed: boolean;
    this.#operations.begin(client);
    do {
      if (failures >= stores.length) await sleep(PAUSE_MS);
      isServed = await this.#attempt(client, stores[(at + failures) % stores.length], key, onlyReads);
      if (!isServed) failures += 1;
    } while (!isServed && fallsOver && !this.#isOver);
    this.#operations.end(client, isServed);
    return fallsOver ? at + failures : at;
  }

  /** Returns whether it was served. */
  async #attempt(client: number, store: LoadedStore | undefined, key: string, onlyReads: boolean): Promise<boolean> {
    if (!store) return false;
    try {
      const add = this.#options.adds ? store.add?.bind(store) : undefined;
      if (add && !onlyReads) {
        await this.#timed(client, () => add(key));
        this.#writes += 1;
        return true;
      }
      const held = await this.#timed(client, () => store.read(key));
      if (onlyReads) return true;
      const isWritten = await this.#timed(client, () => store.write(key, held, oneMore(held)));
      if (isWritten) this.#writes += 1;
      else this.#mismatches += 1;
      return true;
    } catch (error) {
      if (error instanceof NetworkError) this.#networkErrors += 1;
      else if (error instanceof NotServed) this.#otherAnswers[error.message] = (this.#otherAnswers[error.message] ?? 0) + 1;
      else throw error;
      return false;
    }
  }

  async #timed<Answer>(client: number, ask: () => Promise<Answer>): Promise<Answer> {
    this.#requests.begin(client);
    let isAnswered = false;
    try {
      const answer = await ask();
      isAnswered = true;
      return answer;
    } catch (error) {
      isAnswered = error instanceof NotServed;
      throw error;
    } finally {
      this.#requests.end(client, isAnswered);
    }
  }
}

/** A large value is a count with something beside it. */
function oneMore({ val }: HeldValue): unknown {
  if (typeof val === 'number') return val + 1;
  if (Array.isArray(val)) return [Number(val[0]) + 1, val[1] as unknown];
  return val ?? 1;
}
