import type { Accepted, Acceptor, AcceptReply, PrepareReply, Value } from './acceptor.js';
import { type Ballot, compareBallots, ZERO_BALLOT } from './ballot.js';

interface Register extends Accepted {
  readonly promise: Ballot;
}

const EMPTY: Register = { promise: ZERO_BALLOT, ballot: ZERO_BALLOT, value: null };

function highest(a: Ballot, b: Ballot): Ballot {
  return compareBallots(a, b) >= 0 ? a : b;
}

/** The acceptor as a few lines of TypeScript: the model that the Lua scripts are tested against, and the one that simulations run on. */
export class MemoryAcceptor implements Acceptor {
  readonly registers = new Map<string, Register>();

  async prepare(key: string, ballot: Ballot): Promise<PrepareReply> {
    const register = this.registers.get(key) ?? EMPTY;
    const barrier = highest(register.promise, register.ballot);
    if (compareBallots(ballot, barrier) <= 0) return { ok: false, conflict: barrier };
    this.registers.set(key, { ...register, promise: ballot });
    return { ok: true, ballot: register.ballot, value: register.value };
  }

  async accept(key: string, ballot: Ballot, value: Value, next: Ballot): Promise<AcceptReply> {
    const register = this.registers.get(key) ?? EMPTY;
    const fresh = compareBallots(ballot, register.promise) >= 0 && compareBallots(ballot, register.ballot) > 0;
    const again = compareBallots(ballot, register.ballot) === 0 && value === register.value;
    if (!fresh && !again) return { ok: false, conflict: highest(register.promise, register.ballot) };
    this.registers.set(key, { promise: highest(highest(register.promise, ballot), next), ballot, value });
    return { ok: true };
  }

  async read(key: string): Promise<Accepted> {
    const { ballot, value } = this.registers.get(key) ?? EMPTY;
    return { ballot, value };
  }
}
