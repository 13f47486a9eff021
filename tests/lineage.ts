import type { Value } from '../src/protocol/acceptor.js';

/**
 * Watches one register. Every write names the state it was made from, so that all writes are a tree; those that were acknowledged,
 * and all that they were made from, must be one line without a fork: each acknowledged state descends from the one before.
 */
export class Lineage {
  readonly #parents: number[] = [];
  readonly #depths: number[] = [];
  /** The one line, by depth: what is acknowledged or lies below it. */
  readonly #line: number[] = [];
  /** What was lost, in words. */
  readonly violations: string[] = [];

  /** A new write on top of what the register held; its value is its number. */
  write(onto: Value): string {
    const parent = onto === null ? -1 : Number(onto);
    this.#parents.push(parent);
    this.#depths.push(this.#depth(parent) + 1);
    return String(this.#parents.length - 1);
  }

  /** How many states the line holds. An operation that begins now must not end below it. */
  get length(): number {
    return this.#line.length;
  }

  /** A proposer said that the register holds `value`. @param floor {@link length} when that operation began */
  acknowledge(value: Value, floor: number): void {
    const state = value === null ? -1 : Number(value);
    const depth = this.#depth(state);
    if (depth < floor - 1) this.violations.push(`state ${state} was read back after ${String(this.#line[floor - 1])} was acknowledged`);
    const ancestors: number[] = [];
    let at = state;
    for (; this.#depth(at) >= this.#line.length; at = this.#parents[at] ?? -1) ancestors.push(at);
    if (at !== -1 && this.#line[this.#depth(at)] !== at) {
      this.violations.push(`state ${state} does not descend from ${String(this.#line[this.#depth(at)])}, which was acknowledged`);
      return;
    }
    this.#line.push(...ancestors.reverse());
  }

  #depth(state: number): number {
    return state === -1 ? -1 : (this.#depths[state] ?? NaN);
  }
}
