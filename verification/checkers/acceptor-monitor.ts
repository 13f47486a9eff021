import type { RegisterState, Value } from '../../src/protocol/acceptor.js';
import type { Ballot } from '../../src/protocol/ballot.js';
import type { Violation } from './history.js';

/** A value, and the acceptor that was first seen with it. */
interface Sighting {
  readonly acceptor: string;
  readonly value: Value;
}

const ZERO: Ballot = { era: 0, counter: 0, proposer: 0, incarnation: 0 };
const EMPTY: RegisterState = { promise: ZERO, ballot: ZERO, value: null };

/**
 * Sees every step of every acceptor. What one promised and accepted never goes down, not across a restart either; a promise covers what was
 * accepted; and a ballot of a key stands for one value, on whichever acceptor, for ever (what the proof in appendix A of the paper rests on).
 * It names and orders ballots by itself: it must not trust the code that it judges.
 */
export class AcceptorMonitor {
  readonly violations: Violation[] = [];
  /** As last seen, by acceptor and then by key. */
  readonly #states = new Map<string, Map<string, RegisterState>>();
  /** By key and then by ballot. */
  readonly #values = new Map<string, Map<string, Sighting>>();

  /**
   * An acceptor took a step on a key.
   *
   * @param before what it stored: where that is not what the last step left, something happened in between, which is judged as well
   */
  observe(acceptor: string, key: string, before: RegisterState, after: RegisterState): void {
    const states = entry(this.#states, acceptor, () => new Map<string, RegisterState>());
    this.#step(acceptor, key, states.get(key) ?? EMPTY, before);
    this.#step(acceptor, key, before, after);
    states.set(key, after);
  }

  /**
   * A collection has removed a register. What it had accepted is gone; its promise lives on in that of an absent register.
   *
   * @param promise what an absent register of this acceptor has promised
   */
  removed(acceptor: string, key: string, promise: Ballot): void {
    const states = entry(this.#states, acceptor, () => new Map<string, RegisterState>());
    const from = states.get(key) ?? EMPTY;
    this.#step(acceptor, key, { ...EMPTY, promise: from.promise }, { ...EMPTY, promise });
    states.set(key, { ...EMPTY, promise });
  }

  /** An acceptor was wiped, on purpose: it is as good as new. What its ballots stood for, they stand for still. */
  forgot(acceptor: string): void {
    this.#states.delete(acceptor);
  }

  #step(acceptor: string, key: string, from: RegisterState, to: RegisterState): void {
    const violation = (rule: string, message: string): void => void this.violations.push({ rule, key, message: `${acceptor} ${message}` });
    if (compare(to.promise, from.promise) < 0) {
      violation('a promise never goes down', `promised ${name(from.promise)} and then ${name(to.promise)}`);
    }
    if (compare(to.ballot, from.ballot) < 0) {
      violation('an accepted ballot never goes down', `had accepted ${name(from.ballot)} and then ${name(to.ballot)}`);
    }
    if (compare(to.promise, to.ballot) < 0) {
      violation('a promise covers what was accepted', `has accepted ${name(to.ballot)}, but promised no more than ${name(to.promise)}`);
    }
    const values = entry(this.#values, key, () => new Map([[name(ZERO), { acceptor: 'an empty register', value: null }]]));
    const first = entry(values, name(to.ballot), () => ({ acceptor, value: to.value }));
    if (to.value !== first.value) {
      const instead = `where ${first.acceptor} has ${String(first.value)}`;
      violation('one value for each ballot', `has ${String(to.value)} under ballot ${name(to.ballot)}, ${instead}`);
    }
  }
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

function compare(a: Ballot, b: Ballot): number {
  return a.era - b.era || a.counter - b.counter || a.proposer - b.proposer || a.incarnation - b.incarnation;
}

function name({ era, counter, proposer, incarnation }: Ballot): string {
  return `${era}.${counter}.${proposer}.${incarnation}`;
}
