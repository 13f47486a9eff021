import { type Answer, KeyValueClient, NetworkError, type Refusal } from '../src/http/client.js';
import type { Time } from '../src/protocol/time.js';
import { preferred } from './affinity.js';

/** How long a proposer that did not answer is left alone: short enough to see it come back, long enough not to wait for it all the time. */
export const AVOID_MS = 1_000;

export interface NamedProposer {
  /** The logical `host:port`, as the user typed it. */
  readonly name: string;
  /** As the demo calls it: nobody knows its nodes by the port that they have inside. */
  readonly called: string;
  readonly client: KeyValueClient;
}

export interface ProposersOptions {
  /** Each key goes to one proposer, as long as that is not avoided. */
  readonly affinity?: boolean;
  /** See {@link KeyValueClient}. */
  readonly wait?: boolean;
  readonly timeoutMs?: number;
  /** Is told each request that failed, and what the proposer is called. */
  readonly hear?: (name: string, failure: Refusal | NetworkError) => void;
}

/** The proposers that the coroutines share. One that gave no answer is avoided for a while; then a single request tries it again. */
export class Proposers {
  readonly #time: Time;
  readonly #all: readonly NamedProposer[];
  /** Whom to avoid, and until when; `Infinity` while one request tries it, so that a proposer that hangs holds up one coroutine, not all. */
  readonly #avoidedUntilMs = new Map<NamedProposer, number>();

  readonly #affinity: boolean;
  readonly #hear: NonNullable<ProposersOptions['hear']>;

  /** @param addressOf from a name to where that proposer listens */
  constructor(names: readonly string[], addressOf: (name: string) => string, time: Time, options: ProposersOptions = {}) {
    const { affinity = false, hear = () => undefined, ...more } = options;
    this.#time = time;
    this.#hear = hear;
    this.#affinity = affinity;
    this.#all = names.map((name) => ({
      name,
      called: name.replace(/^(proposer-\d+):8080$/, '$1'),
      client: new KeyValueClient(addressOf(name), more),
    }));
  }

  /**
   * One of those that are not avoided; the caller then {@link ask}s it. Undefined where all are avoided.
   *
   * @param chance from 0 to 1, one number for each choice whoever is avoided, so that a seed gives the same sequence of numbers
   * @param key that it is to be asked for
   */
  choose(chance: number, key: string): NamedProposer | undefined {
    const nowMs = this.#time.nowMs();
    const candidates = this.#all.filter((proposer) => (this.#avoidedUntilMs.get(proposer) ?? 0) <= nowMs);
    const chosen = this.#affinity ? preferred(key, candidates) : candidates[Math.floor(chance * candidates.length)];
    if (chosen && this.#avoidedUntilMs.has(chosen)) this.#avoidedUntilMs.set(chosen, Infinity);
    return chosen;
  }

  /** @throws NetworkError where no answer came: the proposer is then avoided */
  async ask<Body>(proposer: NamedProposer, send: (client: KeyValueClient) => Promise<Answer<Body>>): Promise<Answer<Body>> {
    try {
      const answer = await send(proposer.client);
      this.#avoidedUntilMs.delete(proposer);
      if (!answer.ok) this.#hear(proposer.called, answer);
      return answer;
    } catch (error) {
      if (error instanceof NetworkError) this.#hear(proposer.called, error);
      this.avoid(proposer);
      throw error;
    }
  }

  avoid(proposer: NamedProposer): void {
    this.#avoidedUntilMs.set(proposer, this.#time.nowMs() + AVOID_MS);
  }

  /** Cuts off what is still in flight. */
  async close(): Promise<void> {
    await Promise.all(this.#all.map(({ client }) => client.close()));
  }
}
