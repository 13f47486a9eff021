import type { Floor, RegisterState, Value } from '../../src/protocol/acceptor.js';
import { formatBallot } from '../../src/protocol/ballot.js';
import type { Memory, MemoryAcceptor } from '../../src/protocol/memory-acceptor.js';
import { AcceptorMonitor } from '../checkers/acceptor-monitor.js';
import type { Violation } from '../checkers/history.js';
import { deliver } from '../simulation/acceptor-message.js';
import { absentUnder } from '../simulation/acceptor-node.js';
import { collectFrom, isOfCollector } from './collector-messages.js';
import { Computed } from './computed.js';
import { KEY } from './key.js';
import { type AnyMessage, type AnyReply, Numbered } from './messages.js';

/** What an acceptor made of a message. */
export interface Delivered {
  readonly register: number;
  readonly reply: number;
  /** What is wrong with this step alone. */
  readonly violation?: Violation;
}

/** All that an acceptor keeps: of the one key, and of those that were removed. */
interface Kept {
  readonly register: RegisterState | null;
  readonly floor: Floor | null;
}

/**
 * The acceptor as an automaton: what a message does to it depends on nothing else, so that each pair is run once. What it keeps goes by the number of its
 * register.
 */
export class AcceptorStates {
  readonly #make: (memory: Memory) => MemoryAcceptor;
  readonly #messages: Numbered<AnyMessage>;
  readonly #replies: Numbered<AnyReply>;
  readonly #kept = new Numbered<Kept>();
  readonly #delivered = new Computed<number, Delivered>();
  readonly empty = this.#kept.numberOf({ register: null, floor: null });

  constructor(make: (memory: Memory) => MemoryAcceptor, messages: Numbered<AnyMessage>, replies: Numbered<AnyReply>) {
    this.#make = make;
    this.#messages = messages;
    this.#replies = replies;
  }

  /** The ballot and the value that a register has accepted. */
  acceptedIn(register: number): readonly [ballot: string, value: Value] {
    const { ballot, value } = this.#kept.at(register).register ?? absentUnder(undefined);
    return [formatBallot(ballot), value];
  }

  /** The same acceptor with nothing of the key. */
  withoutKey(register: number): number {
    return this.#kept.numberOf({ register: null, floor: this.#kept.at(register).floor });
  }

  /** An acceptor that holds this. */
  holding(register: number): MemoryAcceptor {
    return this.#started(register).acceptor;
  }

  deliver(register: number, message: number): Delivered {
    return this.#delivered.get(register * 2 ** 26 + message, () => this.#compute(register, this.#messages.at(message)));
  }

  #started(number: number): { readonly memory: Memory; readonly acceptor: MemoryAcceptor } {
    const { register, floor } = this.#kept.at(number);
    const memory: Memory = { registers: new Map(), ...(floor && { floor }) };
    const acceptor = this.#make(memory);
    if (register) acceptor.registers.set(KEY, register);
    return { memory, acceptor };
  }

  async #compute(number: number, message: AnyMessage): Promise<Delivered> {
    const { memory, acceptor } = this.#started(number);
    const reply = this.#replies.numberOf(isOfCollector(message) ? collectFrom(memory, message) : await deliver(message, acceptor));
    const before = this.#kept.at(number);
    const present = acceptor.registers.get(KEY);
    const register = present ? { promise: present.promise, ballot: present.ballot, value: present.value } : null;
    const after: Kept = { register, floor: memory.floor ?? null };
    const [violation] = violationsIn(before, after, message.kind === 'erase');
    return { register: this.#kept.numberOf(after), reply, ...(violation ? { violation } : {}) };
  }
}

/** @param isErasure which may take away what was there */
function violationsIn(before: Kept, after: Kept, isErasure: boolean): readonly Violation[] {
  const monitor = new AcceptorMonitor();
  const [first, absent] = [before.register ?? absentUnder(before.floor ?? undefined), absentUnder(after.floor ?? undefined)];
  const isRemoved = isErasure && before.register !== null && after.register === null;
  monitor.observe('an acceptor', KEY, first, isRemoved ? first : (after.register ?? absent));
  if (isRemoved) monitor.removed('an acceptor', KEY, absent.promise);
  return monitor.violations;
}
