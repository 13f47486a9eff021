import type { Accepted, Acceptor, AcceptReply, PrepareReply } from '../../src/acceptor.js';
import { type Configuration, isConfigured } from '../../src/configuration.js';
import { CommitError, VersionMismatch } from '../../src/errors.js';
import { KeyValue, type Versioned } from '../../src/kv.js';
import { identity, Proposer } from '../../src/proposer.js';
import type { Outcome, Request } from '../checkers/history.js';
import { VirtualTime } from '../virtual-time.js';
import { KEY, type Message, type Reply } from './messages.js';
import type { Kind } from './scenario.js';

/** All that reaches a proposer from outside, besides time that passes. */
export type Input =
  | { readonly kind: 'start' }
  | { readonly kind: 'reply'; readonly acceptor: string; readonly reply: Reply }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'configure'; readonly configuration: Configuration };

/** An operation as its client sees it. */
export interface Performed {
  readonly request: Request;
  readonly outcome?: Outcome;
}

/** The messages of one phase: the same to each acceptor. */
export interface Phase {
  readonly message: Message;
  readonly acceptors: string[];
}

interface OpenPhase extends Phase {
  readonly unanswered: Map<string, (reply: Reply) => void>;
}

export interface ProposerRunOptions {
  readonly id: number;
  readonly configuration: Configuration;
  readonly script: readonly Kind[];
  readonly resolutions: number;
  /** How many times it will be reconfigured. Until then an operation waits for a `start`, so that a change can come before it. */
  readonly changes: number;
}

/**
 * The back-off before a second round of resolution is so much longer than a timeout that the number of rounds does not depend on how many
 * phases time out.
 */
const TIMEOUT_MS = 1;
const BACKOFF_MS = 1_000;

/** One proposer of the product and its client, with a world in place of the network that says nothing but what it is told to. */
export class ProposerRun {
  readonly performed: Performed[] = [];
  readonly phases: Phase[] = [];
  readonly #options: ProposerRunOptions;
  readonly #time = new VirtualTime();
  readonly #proposer: Proposer;
  readonly #kv: KeyValue;
  #open: OpenPhase | undefined;
  readonly #past: OpenPhase[] = [];
  #configured = 0;
  #isDraining = false;

  constructor(options: ProposerRunOptions) {
    this.#options = options;
    const { id, configuration, resolutions } = options;
    const time = this.#time;
    let operations = 0;
    this.#proposer = new Proposer({ id, incarnation: 1, configuration, acceptor: (name) => this.#link(name), time, timeoutMs: TIMEOUT_MS });
    this.#kv = new KeyValue({
      proposer: this.#proposer,
      nextOperationId: () => `${id}-${(operations += 1)}`,
      time,
      random: () => 0,
      resolveMs: BACKOFF_MS * 2 ** (resolutions - 1) - BACKOFF_MS / 2,
      backoffMs: BACKOFF_MS,
    });
  }

  /** The phase that waits for replies; undefined where an operation waits to be started, or all are over. */
  get asking(): Phase | undefined {
    // A phase is under way exactly as long as its timeout is set: pauses have no length, as the jitter is 0.
    return this.#time.pending > 0 ? this.#open : undefined;
  }

  get configuration(): Configuration {
    return this.#proposer.configuration;
  }

  /** How many changes of configuration are in force. */
  get configured(): number {
    return this.#configured;
  }

  /** Lets everything happen that needs no input, at the beginning. */
  begin(): Promise<void> {
    return this.#settle();
  }

  async apply(input: Input): Promise<void> {
    if (input.kind === 'start') this.#invoke();
    else if (input.kind === 'reply') this.#answer(input.acceptor, input.reply);
    else if (input.kind === 'timeout') await this.#time.advance(TIMEOUT_MS);
    else
      void this.#proposer
        .reconfigure(input.configuration, () => Promise.resolve())
        .then(() => {
          this.#configured += 1;
        });
    await this.#settle();
  }

  /** Replies that come after their phase is over, to every request that was not answered in time. */
  async replyLate(reply: (message: Message) => Reply): Promise<void> {
    const past = this.asking ? this.#past : [...this.#past, ...(this.#open ? [this.#open] : [])];
    for (const { message, unanswered } of past) for (const resolve of unanswered.values()) resolve(reply(message));
    await this.#settle();
  }

  /**
   * What it would say from now on if it heard nothing more, until its operation ends, and then if it were asked for one change more. That shows
   * all that it remembers: the era and the counter of its clock, a piggybacked promise, its configuration, and how far its operation is.
   */
  async lastWords(): Promise<unknown> {
    const first = this.phases.length - (this.asking ? 1 : 0);
    this.#isDraining = true;
    while (this.asking) await this.apply({ kind: 'timeout' });
    if (isConfigured(this.configuration)) this.#proposer.change(KEY, identity).catch(() => undefined);
    await this.#settle();
    return [this.phases.slice(first), this.performed, this.configuration];
  }

  async #settle(): Promise<void> {
    await this.#time.advance(0);
    while (!this.#isDraining && this.#isIdle() && this.#configured >= this.#options.changes) {
      this.#invoke();
      await this.#time.advance(0);
    }
  }

  /** Whether the next operation could begin. */
  #isIdle(): boolean {
    const isOver = this.performed.every(({ outcome }) => outcome !== undefined);
    return isOver && this.performed.length < this.#options.script.length;
  }

  #invoke(): void {
    const kind = this.#options.script[this.performed.length];
    if (kind === undefined) throw new RangeError('no operation is left');
    const request = this.#requestOf(kind);
    const index = this.performed.push({ request }) - 1;
    void this.#perform(kind, request).then((outcome) => {
      this.performed[index] = { request, outcome };
    });
  }

  /** A write is made over what its client knows. */
  #requestOf(kind: Kind): Request {
    if (kind !== 'cas') return { kind: 'get' };
    let known: { ver: number; val: string | null } = { ver: 0, val: null };
    for (const { request, outcome } of this.performed) {
      if (outcome?.kind === 'state') known = outcome;
      if (outcome?.kind === 'written' && request.kind === 'cas') known = { ver: request.ver + 1, val: request.val };
    }
    return { kind: 'cas', ver: known.ver, val: `v${this.#options.id}.${this.performed.length + 1}`, onto: known.val };
  }

  async #perform(kind: Kind, request: Request): Promise<Outcome> {
    try {
      if (request.kind === 'get') return stateOf(await (kind === 'get' ? this.#kv.get(KEY) : this.#kv.settle(KEY)));
      await this.#kv.cas(KEY, request.ver, request.val);
      return { kind: 'written' };
    } catch (error) {
      if (error instanceof VersionMismatch) return stateOf({ ver: Number(error.details['ver']), val: error.details['val'] });
      return { kind: error instanceof CommitError ? 'unknown' : 'refused' };
    }
  }

  #link(name: string): Acceptor {
    const send = <Answer extends Reply>(message: Message): Promise<Answer> =>
      new Promise((resolve) => this.#sent(message, name, (reply) => resolve(reply as Answer)));
    return {
      prepare: (_key, ballot) => send<PrepareReply>({ kind: 'prepare', ballot }),
      accept: (_key, ballot, value, next) => send<AcceptReply>({ kind: 'accept', ballot, value, next }),
      read: () => send<Accepted>({ kind: 'read' }),
    };
  }

  #sent(message: Message, acceptor: string, resolve: (reply: Reply) => void): void {
    const open = this.#open;
    // A proposer asks each acceptor once in a phase, so that a second message to the same one begins the next.
    if (!open || open.acceptors.includes(acceptor) || !isSame(open.message, message)) {
      if (open) this.#past.push(open);
      this.#open = { message, acceptors: [], unanswered: new Map() };
      this.phases.push(this.#open);
    }
    this.#open?.acceptors.push(acceptor);
    this.#open?.unanswered.set(acceptor, resolve);
  }

  #answer(acceptor: string, reply: Reply): void {
    const resolve = this.#open?.unanswered.get(acceptor);
    if (!resolve) throw new RangeError(`nothing was asked of ${acceptor}`);
    this.#open?.unanswered.delete(acceptor);
    resolve(reply);
  }
}

function stateOf({ ver, val }: Versioned): Outcome {
  return { kind: 'state', ver, val: val as string | null };
}

/** Whether two messages are of one phase: they hold the very same ballot. */
function isSame(a: Message, b: Message): boolean {
  if (a.kind === 'read' || b.kind === 'read') return a.kind === b.kind;
  return a.kind === b.kind && a.ballot === b.ballot;
}
