import { createStore, type Store } from '../../src/store/store.js';
import type { Acceptor } from '../../src/protocol/acceptor.js';
import { type Configuration, isConfigured } from '../../src/protocol/configuration.js';
import { acceptorBehind, type Message, type Reply } from '../simulation/acceptor-message.js';
import { VirtualTime } from '../simulation/virtual-time.js';
import { nextRequest, perform, type Performed } from './client.js';
import { KEY } from './key.js';
import type { Kind } from './scenario.js';

/** All that reaches a proposer from outside, besides time that passes. */
export type Input =
  | { readonly kind: 'start' }
  | {
      readonly kind: 'reply';
      /** Counted from 0; the present one, unless the reply is late. */
      readonly phase?: number;
      readonly acceptor: string;
      readonly reply: Reply;
    }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'configure'; readonly configuration: Configuration };

/** The messages of one phase: the same to each acceptor. */
export interface AskedPhase {
  readonly message: Message;
  readonly acceptors: string[];
}

interface Asked extends AskedPhase {
  readonly unanswered: Map<string, (reply: Reply) => void>;
}

export interface ProposerRunOptions {
  readonly id: number;
  /** Counted from 1; names what it writes. */
  readonly client: number;
  readonly configuration: Configuration;
  readonly script: readonly Kind[];
  readonly resolutions: number;
  /** How many times it will be reconfigured, Infinity if nobody knows. Until then an operation waits for a `start`, so that a change can come before it. */
  readonly changes: number;
}

/**
 * The pause before a second round of resolution is so much longer than a timeout that the number of rounds does not depend on how many
 * phases time out.
 */
const TIMEOUT_MS = 1;
const PAUSE_MS = 1_000;
/**
 * No retries: a retry is a round as any other, and the scripts have as many as are needed. All acceptors are asked at once. And nothing is
 * remembered of others that write the key, which `lastWords` would not show.
 */
const PLAIN = { patienceMs: 0, contendedKeysMax: 0, acceptorLateMs: undefined };

/** One proposer of the product and its client, with a world in place of the network that says nothing but what it is told to. */
export class ProposerRun {
  readonly performed: Performed[] = [];
  /** How many phases there were before the present operation. */
  #begunAt = 0;
  /** The highest that was told since the last prepare: an accept that is under way does not show it. */
  #floor = 0;
  readonly #options: ProposerRunOptions;
  readonly #time = new VirtualTime();
  readonly #store: Store;
  readonly #phases: Asked[] = [];
  #configured = 0;
  #isDraining = false;

  constructor(options: ProposerRunOptions) {
    this.#options = options;
    const { id, client, configuration, resolutions } = options;
    const time = this.#time;
    let operations = 0;
    this.#store = createStore({
      id,
      state: { configuration, incarnation: 1, saveConfiguration: () => undefined },
      acceptors: { get: (name) => this.#link(name) },
      limits: {
        ...PLAIN,
        acceptorTimeoutMs: TIMEOUT_MS,
        resolveMs: PAUSE_MS * 2 ** (resolutions - 1) - PAUSE_MS / 2,
        resolvePauseMs: PAUSE_MS,
      },
      time,
      random: () => 0,
      nextOperationId: () => `${client}-${(operations += 1)}`,
    });
  }

  /** The phase that waits for replies; undefined where an operation waits to be started, or all are over. */
  get asking(): AskedPhase | undefined {
    // A phase is under way exactly as long as its timeout is set: pauses have no length, as the jitter is 0.
    return this.#time.pending > 0 ? this.#phases.at(-1) : undefined;
  }

  /** All so far. */
  get phases(): readonly AskedPhase[] {
    return this.#phases;
  }

  get configuration(): Configuration {
    return this.#store.configuration;
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
    else if (input.kind === 'reply') this.#answer(input.phase ?? this.#phases.length - 1, input.acceptor, input.reply);
    else if (input.kind === 'timeout') await this.#time.advance(TIMEOUT_MS);
    else
      void this.#store.reconfigure(input.configuration).then(() => {
        this.#configured += 1;
      });
    await this.#settle();
  }

  /** Replies that come after their phase is over, to every request that was not answered in time. */
  async replyLate(reply: (message: Message) => Reply): Promise<void> {
    const present = this.asking;
    for (const phase of this.#phases) {
      if (phase !== present) for (const resolve of phase.unanswered.values()) resolve(reply(phase.message));
    }
    await this.#settle();
  }

  /**
   * What it would say from now on if it heard nothing more, until its operation ends, and then if it were asked for one change more. That shows
   * all that it remembers: the era and the counter of its clock, a piggybacked promise, its configuration, and how far its operation is. What it
   * does not show is what accepts of this operation carried that failed: a write is told the version that one of them made, if that is found later.
   */
  async lastWords(): Promise<unknown> {
    const first = this.#phases.length - (this.asking ? 1 : 0);
    const sent = this.asking
      ? new Set(this.#phases.slice(this.#begunAt, first).map(({ message }) => ('value' in message ? message.value : '')))
      : [];
    const floor = this.asking ? this.#floor : 0;
    this.#isDraining = true;
    while (this.asking) await this.apply({ kind: 'timeout' });
    if (isConfigured(this.configuration)) void this.#askForOneMore().catch(() => undefined);
    await this.#settle();
    const said = this.#phases.slice(first).map(({ message, acceptors }) => [message, acceptors]);
    return [said, this.performed, this.configuration, [...sent], floor];
  }

  /** A change shows the floor that a promise over the empty value holds, which matters where there are collections. */
  #askForOneMore(): Promise<unknown> {
    if (Number.isFinite(this.#options.changes)) return this.#store.get(KEY, { wait: false });
    return this.#store.write(KEY, { change: (val, exists) => ({ val, exists }) });
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
    const request = nextRequest(kind, this.#options.client, this.performed);
    const index = this.performed.push({ request }) - 1;
    this.#begunAt = this.#phases.length;
    void perform(this.#store, kind, request).then((outcome) => {
      this.performed[index] = { request, outcome };
    });
  }

  #link(name: string): Acceptor {
    return acceptorBehind(
      <Answer extends Reply>(message: Message) =>
        new Promise<Answer>((resolve) => this.#sent(message, name, (reply) => resolve(reply as Answer))),
    );
  }

  #sent(message: Message, acceptor: string, resolve: (reply: Reply) => void): void {
    let phase = this.#phases.at(-1);
    // A proposer asks each acceptor once in a phase, so that a second message to the same one begins the next.
    if (!phase || phase.acceptors.includes(acceptor) || !isSame(phase.message, message)) {
      phase = { message, acceptors: [], unanswered: new Map() };
      if (message.kind === 'prepare') this.#floor = 0;
      this.#phases.push(phase);
    }
    phase.acceptors.push(acceptor);
    phase.unanswered.set(acceptor, resolve);
  }

  #answer(index: number, acceptor: string, reply: Reply): void {
    const phase = this.#phases[index];
    const resolve = phase?.unanswered.get(acceptor);
    if (!resolve) throw new RangeError(`nothing was asked of ${acceptor}`);
    phase?.unanswered.delete(acceptor);
    if ('floor' in reply) this.#floor = Math.max(this.#floor, reply.floor ?? 0);
    resolve(reply);
  }
}

/** Whether two messages are of one phase: they hold the very same ballot. */
function isSame(a: Message, b: Message): boolean {
  if (a.kind === 'read' || b.kind === 'read') return a.kind === b.kind;
  return a.kind === b.kind && a.ballot === b.ballot;
}
