import type { Accepted, Acceptor, Conflict, Value } from './acceptor.js';
import { type Asking, ask } from './ask.js';
import { type Ballot, BallotCounter, compareBallots, ZERO_BALLOT } from './ballot.js';
import { applyChange, type Change, type ChangeFunction } from './change.js';
import { type Configuration, isConfigured } from './configuration.js';
import { CommitError, ConcurrentRequestError, NotConfigured, PrepareError, StaleConfiguration } from './errors.js';
import type { ProposerEvents } from './events.js';
import { Gate } from './gate.js';
import { PiggybackedPromises, type PromiseCache, type Promised } from './promises.js';
import { type Heard, ayes, causeOf, containsQuorum, isRunByNone, type QuorumSet, type Replies, shortfall, voteOf } from './quorum.js';
import type { Time } from './time.js';

export interface ProposerOptions {
  /** Unique among the proposers of the cluster. */
  readonly id: number;
  /** Higher at every start of this proposer, and on disk before the first round. */
  readonly incarnation: number;
  readonly configuration: Configuration;
  /** Finds the acceptor of a logical name, and of the identity that the configuration has for it; called for every message. */
  readonly acceptor: (name: string, identity: string | undefined) => Acceptor;
  readonly time: Time;
  /** The longest wait for the acceptors in each phase, in milliseconds. */
  readonly timeoutMs: number;
  /** How phase 1 asks: all acceptors at once, unless it is set. A promise brings no copy of a value, so a quorum of them is as good as all. */
  readonly askForPromises?: Asking;
  readonly promises?: PromiseCache;
  readonly events?: ProposerEvents;
}

/** How a round begins and what it leaves behind. The first two are true unless they are set. */
export interface RoundOptions {
  /** Uses a piggybacked promise if there is one (paper, section 2.2.1); false prepares in any case. */
  readonly usePromise?: boolean;
  /** Keeps the next promise; false for rounds that take every key once, which would drive out the promises of the keys in use. */
  readonly keepPromise?: boolean;
  /** The round makes the register smaller, or keeps its value: an acceptor without memory is to run it, too. False unless it is set. */
  readonly frees?: boolean;
}

/** The proposer's role (paper, section 2.2). One call makes one attempt; it neither retries nor queues. */
export class Proposer {
  readonly #options: ProposerOptions;
  readonly #counter: BallotCounter;
  readonly #gate = new Gate();
  /** The keys that have a round under way. */
  readonly #busy = new Set<string>();
  readonly #promises: PiggybackedPromises;
  #configuration: Configuration;

  constructor(options: ProposerOptions) {
    this.#options = options;
    this.#configuration = options.configuration;
    this.#counter = new BallotCounter(options.id, options.incarnation, options.configuration.era);
    this.#promises = new PiggybackedPromises(options.promises ?? new Map<string, Promised>());
  }

  get configuration(): Configuration {
    return this.#configuration;
  }

  /** What the register holds if no other proposer came between: it costs no message and proves nothing. Undefined if this is not known. */
  cachedValue(key: string): Value | undefined {
    return this.#promises.value(key);
  }

  /**
   * Applies a change function to the register of `key`: prepare, apply, accept (paper, section 2.2).
   *
   * @returns the value that the function was given, and the one that an accept quorum now holds
   * @throws NotApplied nothing was sent that could be chosen
   * @throws CommitError no quorum confirmed the accept, and some acceptor may have taken it: the change may still take effect, or never; its
   *   `change` is what was sent
   */
  change(key: string, fn: ChangeFunction, { usePromise = true, keepPromise = true, frees }: RoundOptions = {}): Promise<Change> {
    return this.withConfiguration(async () => {
      if (this.#busy.has(key)) throw new ConcurrentRequestError('this proposer runs another round for the key');
      this.#busy.add(key);
      try {
        const kept = this.#promises.take(key);
        if (usePromise && kept) this.#options.events?.onPromiseUsed?.();
        const { ballot, value, floor } = (usePromise ? kept : undefined) ?? (await this.#prepare(key, frees));
        const change = applyChange(fn, value, floor);
        const next = await this.#accept(key, ballot, change, frees);
        if (next && keepPromise) this.#promises.keep(key, next);
        return change;
      } finally {
        this.#busy.delete(key);
      }
    });
  }

  /** Runs a task under one configuration: a change of configuration waits until it ends. Rejects with {@link NotConfigured} without one. */
  withConfiguration<Result>(task: (configuration: Configuration) => Promise<Result>): Promise<Result> {
    return this.#gate.shared(() => {
      if (!isConfigured(this.#configuration))
        throw new NotConfigured('this proposer has no acceptors yet; add-accept and add-prepare give it some');
      return task(this.#configuration);
    });
  }

  /** Learns what an acceptor has promised for a key: the next ballot is then above it, and a promise of ours that it overtook is dropped. */
  learnPromise(key: string, promise: Ballot): void {
    this.#counter.fastForward(promise);
    this.#promises.dropBelow(key, promise);
  }

  /**
   * Changes whom this proposer asks (paper, section 2.3), with no round in flight: rounds under way finish first, new ones wait.
   * @param persist puts the new configuration on disk; if it rejects, the old one stays and the error is passed on
   */
  reconfigure(configuration: Configuration, persist: () => Promise<void>): Promise<void> {
    return this.#gate.exclusive(async () => {
      await persist();
      this.#promises.clear();
      this.#counter.enterEra(configuration.era);
      this.#configuration = configuration;
    });
  }

  /** Phase 1: asks for promises under a new ballot. The value of the highest accepted ballot among them is the register's. */
  async #prepare(key: string, frees?: boolean): Promise<Promised> {
    const { prepare } = this.#configuration;
    const ballot = this.#counter.next();
    this.#options.events?.onPhase?.('prepare');
    const heard = await this.#ask(this.#options.askForPromises ?? ask, prepare, (acceptor) => acceptor.prepare(key, ballot, frees));
    if (!this.#learn(heard.replies))
      throw new StaleConfiguration(`era ${this.#configuration.era} of this proposer's configuration is over; write it the present one`);
    if (!containsQuorum(prepare, ayes(heard.replies))) throw new PrepareError(shortfall('promised', prepare, heard), {}, causeOf(heard));
    let latest: Accepted = { ballot: ZERO_BALLOT, value: null };
    let floor = 0;
    for (const reply of heard.replies.values()) {
      if (reply.ok && compareBallots(reply.ballot, latest.ballot) > 0) latest = reply;
      if (reply.ok) floor = Math.max(floor, reply.floor ?? 0);
    }
    return { ballot, value: latest.value, floor };
  }

  /** Phase 2: asks to accept the value, and for the promise of this proposer's next round in the same message. */
  async #accept(key: string, ballot: Ballot, change: Change, frees?: boolean): Promise<Promised | undefined> {
    const { prepare, accept } = this.#configuration;
    const next = this.#counter.next();
    this.#options.events?.onPhase?.('accept');
    // What no acceptor ran can never be chosen. A vote that is lost waits for the other acceptors if that may turn out so.
    const heard = await this.#ask(ask, accept, (acceptor) => acceptor.accept(key, ballot, change.after, next, frees), isRunByNone);
    const confirmed = ayes(heard.replies);
    if (!this.#learn(heard.replies) || !containsQuorum(accept, confirmed)) {
      const message = shortfall('accepted', accept, heard);
      throw isRunByNone(heard) ? new PrepareError(message, {}, causeOf(heard)) : new CommitError(message, { change });
    }
    // With flexible quorums an accept quorum need not hold a prepare quorum: only if it does is the piggybacked promise a full one.
    return containsQuorum(prepare, confirmed) ? { ballot: next, value: change.after, floor: change.floor } : undefined;
  }

  /** Fast-forwards past every ballot that stood in the way. False if one of them shows that this proposer's configuration is stale. */
  #learn(replies: Replies<{ ok: true } | Conflict>): boolean {
    let isCurrent = true;
    for (const reply of replies.values()) {
      if (reply.ok || this.#counter.fastForward(reply.conflict)) continue;
      isCurrent = false;
      this.#options.events?.onStale?.(reply.conflict.era);
    }
    return isCurrent;
  }

  /** @param waitsForRest whether a vote that is lost waits for the acceptors that were not heard of yet */
  async #ask<Reply extends { ok: boolean }>(
    asking: Asking,
    set: QuorumSet,
    send: (acceptor: Acceptor) => Promise<Reply>,
    waitsForRest: (soFar: Heard<Reply>) => boolean = () => false,
  ): Promise<Heard<Reply>> {
    const { acceptor, time, timeoutMs } = this.#options;
    const { identities } = this.#configuration;
    const failures = new Map<string, unknown>();
    const replies = await asking(
      [set],
      (node) => send(acceptor(node, identities?.[node])),
      (soFar, outstanding) => voteOf(set, soFar, outstanding) !== 'pending' && !waitsForRest({ replies: soFar, failures }),
      { time, timeoutMs, onFailure: (node, reason) => failures.set(node, reason) },
    );
    return { replies, failures };
  }
}
