import type { Value } from './acceptor.js';

/**
 * From the register's present value to its next (paper, section 2.2: the client sends a function, and the proposer applies it).
 * It must be pure, since it may run in a round that is given up and once more in the next: the same value in, the same value out.
 * For the empty register it is also given the version of the highest floor that the acceptors told, if any did: what it makes of that register
 * must tell itself from every value that the register held up to that version (paper, section 3.1).
 */
export type ChangeFunction = (value: Value, floor?: number) => Value;

/** What a round did to the register: the value that its change function was given, and the value that it made of it. */
export interface Change {
  readonly before: Value;
  readonly after: Value;
  /** The floor that the change function was given. */
  readonly floor?: number | undefined;
}

/** Leaves the value as it is: the paper reads, and rescans, by a round with this function. */
export const keepValue: ChangeFunction = (value) => value;

const lastOf = new WeakMap<ChangeFunction, Change>();

/**
 * Applies a change function and holds it to its contract, as far as that can be seen.
 * @throws TypeError if it returns anything but a text or null, returns "" (which a Redis acceptor cannot tell from the empty register), or
 *   makes something else of the very value and floor that it was given the last time
 */
export function applyChange(change: ChangeFunction, before: Value, told?: number): Change {
  const floor = before === null ? told : undefined;
  const after: unknown = change(before, floor);
  if (after !== null && typeof after !== 'string') throw new TypeError(`a change function returns a text or null, not ${typeof after}`);
  if (after === '') throw new TypeError('a change function returns no empty text: null stands for the empty register');
  const last = lastOf.get(change);
  if (last?.before === before && last.floor === floor && last.after !== after)
    throw new TypeError('a change function is pure: this one made two values of the same one');
  const applied = { before, after, floor };
  lastOf.set(change, applied);
  return applied;
}
