import type { ErrorCode } from '../src/http/status.js';
import { NetworkError, type Refusal } from '../src/http/client.js';
import type { FunnelCounts } from '../src/http/funnel-stream.js';
import { sleep, type Time } from '../src/protocol/time.js';
import type { Ledger } from './ledger.js';
import { type Note, noteRefusal, noteSilence } from './notes.js';
import type { NamedProposer, Proposers } from './proposers.js';
import type { Random } from './random.js';

/** Before the next turn where no proposer answers, or one that cannot serve refuses at once: such turns would only burn the processor. */
export const PAUSE_MS = 100;

/** Contention is met with the next turn at once, as the demo is about it. That many refusals in a row are no longer contention. */
const REFUSALS_IN_A_ROW = 50;

/** Refusals that contention explains. */
const CONTENTION: ReadonlySet<ErrorCode> = new Set(['VersionMismatch', 'PrepareError', 'ConcurrentRequestError', 'CommitError']);

/** Refusals after which a write was certainly not applied. All others, and codes that nobody documented, leave it unknown. */
export const NOT_APPLIED: ReadonlySet<ErrorCode> = new Set([
  'BadRequest',
  'NotFound',
  'KeyNotFound',
  'MethodNotAllowed',
  'VersionMismatch',
  'PayloadTooLarge',
  'ConcurrentRequestError',
  'NotConfigured',
  'PrepareError',
  'OldState',
  'StaleConfiguration',
]);

export interface CoroutineOptions {
  readonly proposers: Proposers;
  readonly ledger: Ledger;
  readonly counts: FunnelCounts;
  readonly random: Random;
  readonly time: Time;
  readonly note: Note;
}

/** One of the demo's clients: each turn increments a random key through a random proposer, by a read and a compare-and-set. */
export class Coroutine {
  readonly #options: CoroutineOptions;
  readonly #keys: readonly string[];
  #refusedInARow = 0;

  constructor(options: CoroutineOptions) {
    this.#options = options;
    this.#keys = options.ledger.keys;
  }

  /** Takes turns until the signal; the request in flight is finished. Throws `NotANumber` where a key holds something else. */
  async run(signal: AbortSignal): Promise<void> {
    const { time } = this.#options;
    while (!signal.aborted) {
      const pauseMs = await this.#turn(signal);
      if (pauseMs > 0) await sleep(time, pauseMs);
    }
  }

  /** Returns how long to pause before the next one. */
  async #turn(signal: AbortSignal): Promise<number> {
    const { proposers, random, counts, note } = this.#options;
    const chance = random();
    const key = this.#keys[Math.floor(random() * this.#keys.length)];
    const proposer = key === undefined ? undefined : proposers.choose(chance, key);
    if (proposer === undefined || key === undefined) return PAUSE_MS;
    try {
      return this.#pauseAfter(proposer, await this.#increment(proposer, key, signal));
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      counts.networkErrors += 1;
      noteSilence(note, proposer, error);
      return 0;
    }
  }

  /** Returns what refused it, if anything did. Throws `NetworkError`. */
  async #increment(proposer: NamedProposer, key: string, signal: AbortSignal): Promise<Refusal | undefined> {
    const { proposers, ledger, counts } = this.#options;
    counts.readAttempts += 1;
    const read = await proposers.ask(proposer, (client) => client.get(key));
    if (!read.ok && read.code !== 'KeyNotFound') return read;
    counts.reads += 1;
    const { ver, val } = read.ok ? read.body : { ver: 0, val: 0 };
    const next = ledger.saw(key, val) + 1;
    if (signal.aborted) return undefined;

    const settle = ledger.sends(key);
    const written = await proposers.ask(proposer, (client) => client.put(key, ver, next));
    if (written.ok) {
      settle('acknowledged');
      counts.writes += 1;
      return undefined;
    }
    settle(NOT_APPLIED.has(written.code) ? 'refused' : 'unknown');
    return written;
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
