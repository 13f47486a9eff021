import { type Answer, type KeyValueClient, NetworkError, type Repeatable } from '../src/http/client.js';
import type { FunnelCounts } from '../src/http/funnel-stream.js';
import type { ErrorCode } from '../src/http/status.js';
import { sleep, type Time } from '../src/protocol/time.js';
import type { Versioned } from '../src/store/versioned.js';
import type { Ledger } from './ledger.js';
import { type Note, noteRefusal, noteSilence } from './notes.js';
import type { NamedProposer, Proposers } from './proposers.js';
import type { Random } from './random.js';

/** Before an outcome is asked for again, from the second time on: what stands in the way may be a cluster that is down. */
export const ASK_AGAIN_PAUSE_MS = 100;

/** Refusals that contention explains. */
export const CONTENTION: ReadonlySet<ErrorCode> = new Set([
  'VersionMismatch',
  'OutcomeForgotten',
  'PrepareError',
  'ConcurrentRequestError',
  'CommitError',
]);

/** Refusals after which a write was certainly not applied. All others, and codes that nobody documented, leave it unknown. */
export const NOT_APPLIED: ReadonlySet<ErrorCode> = new Set([
  'BadRequest',
  'NotFound',
  'KeyNotFound',
  'MethodNotAllowed',
  'ChangeRefused',
  'VersionMismatch',
  'PayloadTooLarge',
  'NameReused',
  'ConcurrentRequestError',
  'NotConfigured',
  'PrepareError',
  'OldState',
  'StaleConfiguration',
  'StorageFull',
]);

/**
 * Refusals of a repeated write that say what became of the earlier ones, too: a proposer looks for the name before it looks at anything else.
 * A 503 says only that the repetition was not applied.
 */
const NEVER_APPLIED: ReadonlySet<ErrorCode> = new Set(['ChangeRefused', 'VersionMismatch']);

/** One write, under a name if it is to be repeated. */
export type Send = (client: KeyValueClient, repeatable?: Repeatable) => Promise<Answer<Versioned>>;

export interface WriterOptions {
  readonly proposers: Proposers;
  readonly ledger: Ledger;
  readonly counts: FunnelCounts;
  readonly random: Random;
  readonly time: Time;
  readonly note: Note;
  /** A name for each write, under which it is sent again while its outcome is unknown. Without it a write is sent once. */
  readonly nextName?: (() => string) | undefined;
}

/** Sends writes, and enters into the ledger what became of each. */
export class Writer {
  readonly #options: WriterOptions;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /**
   * Sends a write through one proposer; while its outcome is unknown, again through any of them, under the same name.
   *
   * @param since of a write that expects no version: the one that this client knows the key to have had. It is raised, and the write sent anew,
   *   where more versions went by before it came to its turn than the key tells of
   * @param giveUp after which an unknown outcome is not asked for any more
   * @returns the answer that told the outcome; if none did, the last one; undefined if none came
   * @throws NetworkError no answer came, and the write has no name
   */
  async write(
    key: string,
    proposer: NamedProposer,
    send: Send,
    since: number | undefined,
    giveUp: AbortSignal,
  ): Promise<Answer<Versioned> | undefined> {
    const { proposers, ledger, nextName } = this.#options;
    const settle = ledger.sends(key);
    if (!nextName) {
      const answer = await proposers.ask(proposer, (client) => send(client));
      settle(outcomeOf(answer));
      return answer;
    }
    const name = nextName();
    let known = since;
    let answer = await this.#ask(proposer, (client) => send(client, { name, since: known }));
    // Nothing of this name was ever applied then: it may begin anew, from the version that the refusal tells.
    for (let next = raised(answer, known); next !== undefined && !giveUp.aborted; next = raised(answer, known)) {
      known = next;
      answer = await this.#ask(proposer, (client) => send(client, { name, since: known }));
    }
    if (answer && outcomeOf(answer) !== 'unknown') settle(outcomeOf(answer));
    else answer = (await this.#askAgain(key, (client) => send(client, { name, since: known }), settle, giveUp)) ?? answer;
    if (answer?.ok) ledger.saw(key, answer.body.val, answer.body.ver);
    return answer;
  }

  /** Until the outcome is known, or cannot be known any more, or nobody wants to know it. Returns the last answer. */
  async #askAgain(
    key: string,
    send: Send,
    settle: ReturnType<Ledger['sends']>,
    giveUp: AbortSignal,
  ): Promise<Answer<Versioned> | undefined> {
    const { proposers, random, time, note } = this.#options;
    let last: Answer<Versioned> | undefined;
    for (let pauseMs = 0; !giveUp.aborted; pauseMs = ASK_AGAIN_PAUSE_MS) {
      if (pauseMs > 0) await sleep(time, pauseMs);
      const proposer = proposers.choose(random(), key);
      const answer = proposer && (await this.#ask(proposer, send));
      if (!answer) continue;
      last = answer;
      if (answer.ok) settle('acknowledged');
      else if (NEVER_APPLIED.has(answer.code)) settle('refused');
      if (answer.ok || NEVER_APPLIED.has(answer.code) || answer.code === 'OutcomeForgotten') break;
      if (!CONTENTION.has(answer.code)) noteRefusal(note, proposer, answer);
    }
    return last;
  }

  /** Undefined if no answer came. */
  async #ask(proposer: NamedProposer, send: Send): Promise<Answer<Versioned> | undefined> {
    const { proposers, counts, note } = this.#options;
    try {
      return await proposers.ask(proposer, send);
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      counts.networkErrors += 1;
      noteSilence(note, proposer, error);
      return undefined;
    }
  }
}

/** What became of a write that was sent once: of such a one nothing can have been forgotten. */
function outcomeOf(answer: Answer<Versioned>): 'acknowledged' | 'refused' | 'unknown' {
  if (answer.ok) return 'acknowledged';
  return NOT_APPLIED.has(answer.code) || answer.code === 'OutcomeForgotten' ? 'refused' : 'unknown';
}

/** The version from which a write that was sent once may begin anew; undefined if it need not, told none, or a higher one does not help. */
function raised(answer: Answer<Versioned> | undefined, known = Infinity): number | undefined {
  if (!answer || answer.ok || answer.code !== 'OutcomeForgotten') return undefined;
  const { since } = answer.body;
  return typeof since === 'number' && since > known ? since : undefined;
}
