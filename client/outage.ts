import type { ErrorCode } from '../src/http/status.js';
import { NetworkError, type Refusal } from '../src/http/client.js';
import type { Note } from './notes.js';

/** One empty second may be a late machine. */
const EMPTY_SECONDS = 2;

/** Refusals that tell nothing of the cluster: another client was faster, or the key is not there. */
const OF_THE_KEY: ReadonlySet<ErrorCode> = new Set([
  'ChangeRefused',
  'ConcurrentRequestError',
  'KeyNotFound',
  'OutcomeForgotten',
  'VersionMismatch',
]);

/** Says when the cluster stops confirming writes, why, and where the way out stands; and when it confirms them again. */
export class Outage {
  readonly #note: Note;
  /** What was last answered in place of a confirmation since there was one. */
  #reason: string | undefined;
  /** The last second in which a write was confirmed; undefined before the first. */
  #confirmedIn: number | undefined;
  #isTold = false;

  constructor(note: Note) {
    this.#note = note;
  }

  /** Is told each request that failed. @param name of the proposer */
  hear(name: string, failure: Refusal | NetworkError): void {
    if (failure instanceof NetworkError) this.#reason = `${name} does not answer`;
    else if (failure.code === 'NotConfigured' && this.#confirmedIn === undefined) return;
    else if (!OF_THE_KEY.has(failure.code)) this.#reason = `${name} answers ${failure.code}: ${failure.message}`;
  }

  /** Is told each second that is over. @param writes that were confirmed in it */
  see(second: number, writes: number): void {
    if (writes > 0) {
      if (this.#isTold) this.#note(`outage over in ${second}`, `second ${second}: writes are confirmed again`);
      this.#confirmedIn = second;
      this.#isTold = false;
      this.#reason = undefined;
      return;
    }
    if (this.#isTold || second - (this.#confirmedIn ?? 0) < EMPTY_SECONDS || this.#reason === undefined) return;
    this.#isTold = true;
    const since =
      this.#confirmedIn === undefined ? 'no write has been confirmed yet' : `no write is confirmed since second ${this.#confirmedIn}`;
    this.#note(`outage seen in ${second}`, `${since}: ${this.#reason}. The way out: ./run-control.sh status`);
  }
}
