import { type Accepted, type Acceptor, type Conflict, type Held, IdentityMismatch, type Value } from './acceptor.js';
import { type Ballot, BallotClock, compareBallots, ZERO_BALLOT } from './ballot.js';
import { acceptorsOf, type Configuration, isConfigured } from './configuration.js';
import { CommitError, ConcurrentRequestError, NotConfigured, PrepareError, StaleConfiguration } from './errors.js';
import { Gate } from './gate.js';
import { PiggybackedPromises, type Promised } from './promises.js';
import { containsQuorum, gather, type Patience } from './quorum.js';
import { ReadingOrder } from '../reads/reading-order.js';
import type { Time } from './time.js';
import { ayes, isVoteOver, provenBy, type Replies, shortfall } from './votes.js';

/** From the register's present value to its next. Pure: it may run in a round that is given up. The identity reads. */
export type ChangeFunction = (value: Value) => Value;

export const identity: ChangeFunction = (value) => value;

export interface ProposerOptions {
  /** Unique among the proposers of the cluster. */
  readonly id: number;
  /** Higher at every start of this proposer, and on disk before the first round. */
  readonly incarnation: number;
  readonly configuration: Configuration;
  /** The acceptor of a logical name, and who the configuration says it is; called for every message. */
  readonly acceptor: (name: string, identity: string | undefined) => Acceptor;
  readonly time: Time;
  /** The longest wait for the acceptors in each phase, in milliseconds. */
  readonly timeoutMs: number;
  /** A read asks others than it counted on where one takes longer than this, in milliseconds. Without it, as in a round, all are asked at once. */
  readonly lateMs?: number;
  /** Called whenever an acceptor shows that an era has begun which this proposer's configuration does not reach. */
  readonly onStale?: (seenEra: number) => void;
  /** For whoever counts: acceptors are about to be asked, or a piggybacked promise has made the first phase needless. */
  readonly onEvent?: (event: 'read' | 'prepare' | 'accept' | 'promiseUsed') => void;
}

/** The proposer's role (paper, section 2.2). One call makes one attempt; it neither retries nor queues. */
export class Proposer {
  readonly #options: ProposerOptions;
  readonly #clock: BallotClock;
  readonly #gate = new Gate();
  readonly #busy = new Set<string>();
  readonly #promises = new PiggybackedPromises();
  #configuration: Configuration;
  #reading: ReadingOrder;

  constructor(options: ProposerOptions) {
    this.#options = options;
    this.#configuration = options.configuration;
    this.#reading = new ReadingOrder(options.configuration, options.time);
    this.#clock = new BallotClock(options.id, options.incarnation, options.configuration.era);
  }

  get configuration(): Configuration {
    return this.#configuration;
  }

  /** What the register holds where no other proposer came between: a guess, which costs no message. Undefined where there is none. */
  guess(key: string): Value | undefined {
    return this.#promises.value(key);
  }

  /**
   * Applies a change to the register of `key` and returns the value that an accept quorum now holds.
   *
   * @param path `short` uses a piggybacked promise where there is one, and keeps the next (paper, section 2.2.1); `full` prepares;
   *   `once` prepares, and keeps no promise: for rounds that take every key
   * @throws NotConfigured, StaleConfiguration, PrepareError, ConcurrentRequestError: nothing was sent that could be chosen
   * @throws CommitError the accept was sent, no quorum confirmed it: the change may still take effect, or never
   */
  change(key: string, fn: ChangeFunction, path: 'short' | 'full' | 'once' = 'short'): Promise<Value> {
    return this.#gate.shared(async () => {
      this.#assertConfigured();
      if (this.#busy.has(key)) throw new ConcurrentRequestError('this proposer runs another round for the key');
      this.#busy.add(key);
      try {
        const promised = this.#promises.take(key);
        if (path === 'short' && promised) this.#options.onEvent?.('promiseUsed');
        const { ballot, value } = (path === 'short' ? promised : undefined) ?? (await this.#prepare(key));
        const next = fn(value);
        const promise = await this.#accept(key, ballot, next);
        // A rescan takes every key once: it would drive out the promises of all that are used.
        if (promise && path !== 'once') this.#promises.keep(key, promise);
        return next;
      } finally {
        this.#busy.delete(key);
      }
    });
  }

  /**
   * Reads without a round: where the same accepted ballot is on a prepare quorum and on an accept quorum, its value is chosen
   * and nothing above it is. Changes nothing on the acceptors, and needs no turn.
   *
   * @returns undefined where that proof is not to be had at the moment
   * @throws NotConfigured
   */
  read(key: string): Promise<{ readonly value: Value } | undefined> {
    return this.#gate.shared(async () => {
      this.#assertConfigured();
      const configuration = this.#configuration;
      const [reading, { lateMs }] = [this.#reading, this.#options];
      const { nodes, enough } = lateMs === undefined ? { nodes: acceptorsOf(configuration), enough: 0 } : reading.next();
      this.#options.onEvent?.('read');
      let proven: Accepted | undefined;
      const isDecided = (replies: Replies<Held>): boolean => {
        proven = provenBy(replies, configuration);
        return proven !== undefined;
      };
      const staged = lateMs === undefined ? undefined : { atFirst: enough, lateMs, onLate: (node: string) => reading.isLate(node) };
      const { replies } = await this.#ask(nodes, (acceptor) => acceptor.read(key), isDecided, staged);
      reading.hasAnswered(replies.keys());
      // Whoever reads often writes next: a ballot above what others were promised is not refused.
      for (const { promise } of replies.values()) {
        this.#clock.fastForward(promise);
        this.#promises.overtaken(key, promise);
      }
      return proven && { value: proven.value };
    });
  }

  /**
   * Changes whom this proposer asks, with no round in flight: rounds under way finish first, new ones wait.
   * @param persist puts the new configuration on disk; where it rejects, the old one stays and the error is passed on
   */
  reconfigure(configuration: Configuration, persist: () => Promise<void>): Promise<void> {
    return this.#gate.exclusive(async () => {
      await persist();
      this.#promises.clear();
      this.#clock.enterEra(configuration.era);
      this.#configuration = configuration;
      this.#reading = new ReadingOrder(configuration, this.#options.time);
    });
  }

  /** Phase 1: asks for promises under a new ballot; the value of the highest accepted ballot among them is the register's. */
  async #prepare(key: string): Promise<Promised> {
    this.#options.onEvent?.('prepare');
    const { prepare } = this.#configuration;
    const ballot = this.#clock.next();
    const { replies, strangers } = await this.#ask(
      prepare.nodes,
      (acceptor) => acceptor.prepare(key, ballot),
      (soFar, outstanding) => isVoteOver(prepare, soFar, outstanding),
    );
    if (!this.#learn(replies)) {
      throw new StaleConfiguration(`era ${this.#configuration.era} of this proposer's configuration is over; write it the present one`);
    }
    if (!containsQuorum(prepare, ayes(replies))) throw new PrepareError(shortfall('promised', prepare, replies, strangers));
    let latest: Accepted = { ballot: ZERO_BALLOT, value: null };
    for (const reply of replies.values()) {
      if (reply.ok && compareBallots(reply.ballot, latest.ballot) > 0) latest = reply;
    }
    return { ballot, value: latest.value };
  }

  /** Phase 2: asks to accept the value, and for the promise of this proposer's next round in the same message. */
  async #accept(key: string, ballot: Ballot, value: Value): Promise<Promised | undefined> {
    this.#options.onEvent?.('accept');
    const { prepare, accept } = this.#configuration;
    const next = this.#clock.next();
    const { replies, strangers } = await this.#ask(
      accept.nodes,
      (acceptor) => acceptor.accept(key, ballot, value, next),
      (soFar, outstanding) => isVoteOver(accept, soFar, outstanding),
    );
    const confirmed = ayes(replies);
    if (!this.#learn(replies) || !containsQuorum(accept, confirmed)) {
      throw new CommitError(shortfall('accepted', accept, replies, strangers));
    }
    // With flexible quorums an accept quorum need not hold a prepare quorum: only then is the piggybacked promise a full one.
    return containsQuorum(prepare, confirmed) ? { ballot: next, value } : undefined;
  }

  /** Fast-forwards past every ballot that stood in the way. False where one shows that this proposer's configuration is stale. */
  #learn(replies: Replies<{ ok: true } | Conflict>): boolean {
    let current = true;
    for (const reply of replies.values()) {
      if (reply.ok || this.#clock.fastForward(reply.conflict)) continue;
      current = false;
      this.#options.onStale?.(reply.conflict.era);
    }
    return current;
  }

  /** @returns the replies, and the nodes at whose address another acceptor answers */
  async #ask<Reply>(
    nodes: readonly string[],
    message: (acceptor: Acceptor) => Promise<Reply>,
    isDecided: (replies: Replies<Reply>, outstanding: number) => boolean,
    staged?: Pick<Patience, 'atFirst' | 'lateMs' | 'onLate'>,
  ): Promise<{ replies: Replies<Reply>; strangers: readonly string[] }> {
    const { acceptor, time, timeoutMs } = this.#options;
    const { identities } = this.#configuration;
    const strangers: string[] = [];
    const onFailure = (node: string, reason: unknown): void => {
      if (reason instanceof IdentityMismatch) strangers.push(node);
      staged?.onLate?.(node);
    };
    const ask = (node: string): Promise<Reply> => message(acceptor(node, identities?.[node]));
    const replies = await gather(nodes, ask, isDecided, time, { ...staged, timeoutMs, onFailure });
    return { replies, strangers };
  }

  #assertConfigured(): void {
    if (!isConfigured(this.#configuration))
      throw new NotConfigured('this proposer has no acceptors yet; add-accept and add-prepare give it some');
  }
}
