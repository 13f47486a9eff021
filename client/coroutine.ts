import { type Answer, NetworkError, type Refusal } from '../src/http/client.js';
import { sleep } from '../src/protocol/time.js';
import type { Versioned } from '../src/store/versioned.js';
import { noteRefusal, noteSilence } from './notes.js';
import type { NamedProposer } from './proposers.js';
import { read } from './reading.js';
import type { ChangeKind } from './settings.js';
import { CONTENTION, Writer, type WriterOptions } from './writer.js';

/** Before the next turn where no proposer answers, or one that cannot serve refuses at once: such turns would only burn the processor. */
export const PAUSE_MS = 100;

/** Contention is met with the next turn at once, as the demo is about it. That many refusals in a row are no longer contention. */
const REFUSALS_IN_A_ROW = 50;

export interface CoroutineOptions extends WriterOptions {
  /** How a key is incremented. */
  readonly change?: ChangeKind;
}

/** One of the demo's clients: each turn increments a random key through a random proposer. */
export class Coroutine {
  readonly #options: CoroutineOptions;
  readonly #keys: readonly string[];
  readonly #writer: Writer;
  #refusedInARow = 0;

  constructor(options: CoroutineOptions) {
    this.#options = options;
    this.#keys = options.ledger.keys;
    this.#writer = new Writer(options);
  }

  /**
   * Takes turns until the signal; the request in flight is finished. Throws `NotANumber` where a key holds something else.
   * @param giveUp after which an unknown outcome is not asked for any more; `signal`, if it is not given
   */
  async run(signal: AbortSignal, giveUp: AbortSignal = signal): Promise<void> {
    const { time } = this.#options;
    while (!signal.aborted) {
      const pauseMs = await this.#turn(signal, giveUp);
      if (pauseMs > 0) await sleep(time, pauseMs);
    }
  }

  /** Returns how long to pause before the next one. */
  async #turn(signal: AbortSignal, giveUp: AbortSignal): Promise<number> {
    const { proposers, random, counts, note, change } = this.#options;
    const chance = random();
    const key = this.#keys[Math.floor(random() * this.#keys.length)];
    const proposer = key === undefined ? undefined : proposers.choose(chance, key);
    if (proposer === undefined || key === undefined) return PAUSE_MS;
    try {
      const turn = change === 'add' ? this.#add(proposer, key, signal, giveUp) : this.#compareAndSet(proposer, key, signal, giveUp);
      return this.#pauseAfter(proposer, await turn);
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      counts.networkErrors += 1;
      noteSilence(note, proposer, error);
      return 0;
    }
  }

  /** By a read and a compare-and-set. Returns what refused it, if anything did. Throws `NetworkError`. */
  async #compareAndSet(proposer: NamedProposer, key: string, signal: AbortSignal, giveUp: AbortSignal): Promise<Refusal | undefined> {
    const { proposers, ledger, counts } = this.#options;
    counts.readAttempts += 1;
    const present = await read(proposers, ledger, proposer, key);
    if (!present.ok) return present;
    counts.reads += 1;
    if (signal.aborted) return undefined;

    const { ver, val } = present;
    // The version that it expects tells more than that.
    const since = ver === 0 ? ledger.version(key) : undefined;
    return this.#noteWritten(await this.#writer.write(key, proposer, (client, more) => client.put(key, ver, val + 1, more), since, giveUp));
  }

  /** By a change function: one request. Only a key that this client never saw is read first. Returns and throws as a compare-and-set. */
  async #add(proposer: NamedProposer, key: string, signal: AbortSignal, giveUp: AbortSignal): Promise<Refusal | undefined> {
    const { proposers, ledger, counts } = this.#options;
    counts.readAttempts += 1;
    if (ledger.version(key) === undefined) {
      const present = await read(proposers, ledger, proposer, key);
      if (!present.ok) return present;
      if (signal.aborted) return undefined;
    }
    const since = ledger.version(key);
    const answer = await this.#writer.write(key, proposer, (client, more) => client.post(key, { add: 1 }, more), since, giveUp);
    if (answer) counts.reads += 1;
    // It throws what is in the way, unless that has gone again.
    if (answer?.ok === false && answer.code === 'ChangeRefused') await read(proposers, ledger, proposer, key);
    return this.#noteWritten(answer);
  }

  #noteWritten(answer: Answer<Versioned> | undefined): Refusal | undefined {
    if (answer?.ok === false) return answer;
    if (answer) this.#options.counts.writes += 1;
    return undefined;
  }

  #pauseAfter(proposer: NamedProposer, refusal: Refusal | undefined): number {
    if (!refusal) {
      this.#refusedInARow = 0;
      return 0;
    }
    this.#refusedInARow += 1;
    if (CONTENTION.has(refusal.code)) return this.#refusedInARow % REFUSALS_IN_A_ROW === 0 ? PAUSE_MS : 0;
    noteRefusal(this.#options.note, proposer, refusal);
    return PAUSE_MS;
  }
}
