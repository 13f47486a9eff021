import type { RegisterState } from '../../src/protocol/acceptor.js';
import { formatBallot, ZERO_BALLOT } from '../../src/protocol/ballot.js';
import type { MemoryAcceptor } from '../../src/protocol/memory-acceptor.js';
import { AcceptorMonitor } from '../checkers/acceptor-monitor.js';
import type { Violation } from '../checkers/history.js';
import { deliver, type Message, type Reply } from '../simulation/acceptor-message.js';
import { Computed } from './computed.js';
import { KEY, Numbered } from './messages.js';

/** What an acceptor made of a message. */
export interface Delivered {
  readonly register: number;
  readonly reply: number;
  /** What is wrong with this step alone. */
  readonly violation?: Violation;
}

const EMPTY: RegisterState = { promise: ZERO_BALLOT, ballot: ZERO_BALLOT, value: null };

/** The acceptor as an automaton: what a message does to a register depends on nothing else, so that each pair is run once. */
export class AcceptorStates {
  readonly #make: () => MemoryAcceptor;
  readonly #messages: Numbered<Message>;
  readonly #replies: Numbered<Reply>;
  readonly #registers = new Numbered<RegisterState>();
  readonly #delivered = new Computed<number, Delivered>();
  readonly empty = this.#registers.numberOf(EMPTY);

  constructor(make: () => MemoryAcceptor, messages: Numbered<Message>, replies: Numbered<Reply>) {
    this.#make = make;
    this.#messages = messages;
    this.#replies = replies;
  }

  /** The ballot and the value that a register has accepted. */
  acceptedIn(register: number): readonly [ballot: string, value: string | null] {
    const { ballot, value } = this.#registers.at(register);
    return [formatBallot(ballot), value];
  }

  /** An acceptor that holds this. */
  holding(register: number): MemoryAcceptor {
    const acceptor = this.#make();
    if (register !== this.empty) acceptor.registers.set(KEY, this.#registers.at(register));
    return acceptor;
  }

  deliver(register: number, message: number): Delivered {
    return this.#delivered.get(register * 2 ** 26 + message, () => this.#compute(register, this.#messages.at(message)));
  }

  async #compute(register: number, message: Message): Promise<Delivered> {
    const acceptor = this.holding(register);
    const reply = this.#replies.numberOf(await deliver(message, acceptor));
    const { promise, ballot, value } = acceptor.registers.get(KEY) ?? EMPTY;
    const monitor = new AcceptorMonitor();
    monitor.observe('an acceptor', KEY, this.#registers.at(register), { promise, ballot, value });
    const [violation] = monitor.violations;
    return { register: this.#registers.numberOf({ promise, ballot, value }), reply, ...(violation ? { violation } : {}) };
  }
}
