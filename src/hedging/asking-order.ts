import { containsQuorum, nodesOf, type QuorumSet } from '../protocol/quorum.js';
import type { Time } from '../protocol/time.js';

/** Acceptors in the order to ask them, and how many of them at first: those contain a quorum of every set. */
export interface Order {
  readonly nodes: readonly string[];
  readonly atFirst: number;
}

/** How long the same acceptors are asked first, in milliseconds: what leaves in one turn of the event loop is then in as few messages as can be. */
const TURN_MS = 5;

/** How long to do without an acceptor that was late, before one message tries it again, in milliseconds. */
const AVOID_LATE_MS = 1_000;

/** Whom to ask first: no more than a quorum of every set needs, each acceptor in its turn, and none that was late a moment ago. */
export class AskingOrder {
  readonly #nodes: readonly string[];
  readonly #orders: readonly Order[];
  readonly #time: Time;
  /** Until when to do without an acceptor. */
  readonly #lateUntilMs = new Map<string, number>();

  constructor(sets: readonly QuorumSet[], time: Time) {
    this.#nodes = nodesOf(sets);
    this.#orders = this.#nodes.map((_, first) => orderFrom(first, this.#nodes, sets));
    this.#time = time;
  }

  /**
   * Whom to ask now. All at once if no quorum is without a late one, since each would have to be waited for first; and where a late one is tried
   * again, so that nobody waits for it.
   */
  next(): Order {
    const all = { nodes: this.#nodes, atFirst: this.#nodes.length };
    const turn = Math.floor(this.#time.nowMs() / TURN_MS);
    if (this.#lateUntilMs.size === 0) return this.#orders[turn % this.#orders.length] ?? all;
    if (this.#isTrial()) return all;
    return this.#orders.find((order) => firstOf(order).every((node) => !this.#lateUntilMs.has(node))) ?? all;
  }

  /** Notes that the acceptor did not answer, or takes long. */
  markLate(node: string): void {
    this.#lateUntilMs.set(node, this.#time.nowMs() + AVOID_LATE_MS);
  }

  /** Notes that these have answered, soon, and before enough others had. */
  markInTime(nodes: Iterable<string>): void {
    for (const node of nodes) this.#lateUntilMs.delete(node);
  }

  /** True for the one that finds out whether a late acceptor answers in time again; all others go on without it. */
  #isTrial(): boolean {
    const nowMs = this.#time.nowMs();
    const due = [...this.#lateUntilMs].filter(([, untilMs]) => untilMs <= nowMs);
    for (const [node] of due) this.markLate(node);
    return due.length > 0;
  }
}

function firstOf({ nodes, atFirst }: Order): readonly string[] {
  return nodes.slice(0, atFirst);
}

/** The order that begins with the acceptor at `first`. */
function orderFrom(first: number, nodes: readonly string[], sets: readonly QuorumSet[]): Order {
  const turned = [...nodes.slice(first), ...nodes.slice(0, first)];
  const needed: string[] = [];
  for (const node of turned) {
    const isNeeded = sets.some((set) => set.nodes.includes(node) && !containsQuorum(set, needed));
    if (isNeeded) needed.push(node);
  }
  return { nodes: [...needed, ...turned.filter((node) => !needed.includes(node))], atFirst: needed.length };
}
