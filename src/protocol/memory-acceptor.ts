import type { Acceptor, AcceptReply, Floor, PrepareReply, RegisterState, Value } from './acceptor.js';
import { type Ballot, compareBallots, ZERO_BALLOT } from './ballot.js';
import { StrangerError } from './errors.js';

const EMPTY: RegisterState = { promise: ZERO_BALLOT, ballot: ZERO_BALLOT, value: null };

function highest(a: Ballot, b: Ballot): Ballot {
  return compareBallots(a, b) >= 0 ? a : b;
}

/** What an acceptor keeps across crashes: its registers, and who it is. An acceptor that loses the one loses the other. */
export interface Memory {
  readonly registers: Map<string, RegisterState>;
  identity?: string;
  /** Lost with them, too. */
  floor?: Floor;
}

/** The acceptor as a few lines of TypeScript: the model that the Lua scripts are tested against, and the one that simulations run on. */
export class MemoryAcceptor implements Acceptor {
  readonly #memory: Memory;
  readonly #identity: string | undefined;

  /** @param identity of the acceptor that is meant; without one it is not checked */
  constructor(memory: Memory = { registers: new Map() }, identity?: string) {
    this.#memory = memory;
    this.#identity = identity;
  }

  get registers(): Map<string, RegisterState> {
    return this.#memory.registers;
  }

  async prepare(key: string, ballot: Ballot): Promise<PrepareReply> {
    const register = this.#register(key);
    const barrier = highest(register.promise, register.ballot);
    if (compareBallots(ballot, barrier) <= 0) return { ok: false, conflict: barrier };
    this.registers.set(key, { ...register, promise: ballot });
    const floor = register.value === null && this.#memory.floor?.version;
    return { ok: true, ballot: register.ballot, value: register.value, ...(floor && { floor }) };
  }

  async accept(key: string, ballot: Ballot, value: Value, next: Ballot): Promise<AcceptReply> {
    const register = this.#register(key);
    const fresh = compareBallots(ballot, register.promise) >= 0 && compareBallots(ballot, register.ballot) > 0;
    const again = compareBallots(ballot, register.ballot) === 0 && value === register.value;
    if (!fresh && !again) return { ok: false, conflict: highest(register.promise, register.ballot) };
    this.registers.set(key, { promise: highest(highest(register.promise, ballot), next), ballot, value });
    return { ok: true };
  }

  async read(key: string): Promise<RegisterState> {
    return this.#register(key, 0);
  }

  /**
   * That a register is absent counts only if the acceptor is known to be the one that is meant: one that lost its disk holds none either.
   * @param floor the era that an absent register has promised
   */
  #register(key: string, floor = this.#memory.floor?.era ?? 0): RegisterState {
    const register = this.registers.get(key);
    if (!register && this.#identity !== undefined && this.#memory.identity !== this.#identity)
      throw new StrangerError(`this is ${this.#memory.identity ?? 'an acceptor that has forgotten who it is'}, not ${this.#identity}`);
    return register ?? { ...EMPTY, promise: { ...ZERO_BALLOT, era: floor } };
  }
}
