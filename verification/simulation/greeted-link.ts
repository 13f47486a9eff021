import type { Acceptor } from '../../src/protocol/acceptor.js';
import { StrangerError } from '../../src/protocol/errors.js';
import { type Confirmed, type Greeted, type Introduction, strangerText, Witness } from '../../src/store/greeting.js';
import { acceptorBehind, type Ask, type Message, type Reply } from './acceptor-message.js';
import { type Route, sendAcross } from './acceptor-node.js';

/** A second of the product's, for a network that is faster than real ones. */
const GREET_EVERY_MS = 50;
const GREETING_TIMEOUT_MS = 15;

export interface GreetedLinkOptions extends Route {
  readonly identity: string;
  readonly introduction: Introduction;
}

/**
 * One process' connection to one acceptor, that ends when either does. Nothing but greetings is sent over a new one before it is known who answers,
 * and what was sent over an earlier one neither arrives nor counts.
 */
export class GreetedLink {
  readonly #options: GreetedLinkOptions;
  readonly #witness: Witness;
  /** The start of the acceptor that was greeted last, and what it answered then. */
  #met: { readonly start: number; readonly greeted: Greeted } | undefined;
  confirmed: Confirmed | undefined;
  readonly acceptor: Acceptor;

  constructor(options: GreetedLinkOptions) {
    this.#options = options;
    this.#witness = new Witness(options.identity, options.introduction);
    this.acceptor = acceptorBehind((message, ask) => this.#send(message, ask));
    void this.#greet();
  }

  async #greet(): Promise<void> {
    const { network, caller, from, node } = this.#options;
    const { starts } = node;
    // Whatever becomes of it: the next one may be the first of another connection.
    caller.time.after(GREET_EVERY_MS, () => void this.#greet());
    const inTime = <Answer>(answer: Promise<Answer>): Promise<Answer> =>
      new Promise((resolve, reject) => {
        caller.time.after(GREETING_TIMEOUT_MS, () => reject(new Error('no answer in time')));
        answer.then(resolve, reject);
      });
    try {
      const greeted = await this.#witness.greet(
        (greeting) =>
          inTime(
            network.call({
              caller,
              from,
              to: node.name,
              kind: 'greet',
              request: () => `greet ${greeting.identity}, ${greeting.beats} beats heard`,
              reply: (reply) => `${reply.kind} ${'beats' in reply ? reply.beats : ''}`,
              act: () => node.greet(starts, greeting),
            }),
          ),
        caller.time.nowMs(),
      );
      if (starts === node.starts) this.#met = { start: starts, greeted };
    } catch {
      // The next one is on its way soon.
    }
  }

  async #send<Answer extends Reply>(message: Message, ask: Ask<Answer>): Promise<Answer> {
    const { node, identity } = this.#options;
    const start = this.#met?.start;
    if (!this.#met || start !== node.starts) throw new Error('not connected');
    if ('identity' in this.#met.greeted) throw new StrangerError(strangerText(this.#met.greeted.identity, identity));
    const answer = await sendAcross(this.#options, message, () =>
      node.starts === start ? node.answer(message.key, identity, ask) : Promise.reject(new Error('connection reset')),
    );
    if (start !== this.#met.start) throw new Error('connection reset');
    if (message.kind !== 'read' && 'ok' in answer && answer.ok) {
      this.confirmed = { key: message.key, promise: message.kind === 'accept' ? message.next : message.ballot };
      this.#witness.confirmed(this.confirmed.key, this.confirmed.promise);
    }
    return answer;
  }
}
