import { acceptorsOf, type Configuration } from '../protocol/configuration.js';
import { containsQuorum } from '../protocol/quorum.js';
import type { Time } from '../protocol/time.js';

/** Acceptors in the order to ask them: the first `enough` of them contain a prepare quorum and an accept quorum. */
export interface Order {
  readonly nodes: readonly string[];
  readonly enough: number;
}

/** How long reads ask the same acceptors first, in milliseconds: those of one turn of the event loop then leave in as few messages as can be. */
const TURN_MS = 5;

/** How long reads do without an acceptor that was late, before one of them tries it again, in milliseconds. */
const AVOID_LATE_MS = 1_000;

const NOBODY: Order = { nodes: [], enough: 0 };

/** Whom a read asks first: no more than it needs, each acceptor in its turn, and none that was late a moment ago. */
export class ReadingOrder {
  readonly #orders: readonly Order[];
  readonly #time: Time;
  /** Until when to do without an acceptor. */
  readonly #lateUntilMs = new Map<string, number>();

  constructor(configuration: Configuration, time: Time) {
    this.#orders = ordersOf(configuration);
    this.#time = time;
  }

  next(): Order {
    const turn = Math.floor(this.#time.nowMs() / TURN_MS);
    const next = this.#orders[turn % this.#orders.length] ?? NOBODY;
    if (this.#lateUntilMs.size === 0) return next;
    return this.#trial() ?? this.#orders.find((order) => firstOf(order).every((node) => !this.#lateUntilMs.has(node))) ?? next;
  }

  /** Notes that the acceptor did not answer, or takes long. */
  markLate(node: string): void {
    this.#lateUntilMs.set(node, this.#time.nowMs() + AVOID_LATE_MS);
  }

  markAnswered(nodes: Iterable<string>): void {
    if (this.#lateUntilMs.size > 0) for (const node of nodes) this.#lateUntilMs.delete(node);
  }

  /** For one read that finds out whether a late acceptor answers again; all others go on without it. */
  #trial(): Order | undefined {
    const nowMs = this.#time.nowMs();
    for (const [node, untilMs] of this.#lateUntilMs) {
      if (nowMs < untilMs) continue;
      this.markLate(node);
      return this.#orders.find((order) => firstOf(order).includes(node));
    }
    return undefined;
  }
}

function firstOf({ nodes, enough }: Order): readonly string[] {
  return nodes.slice(0, enough);
}

/** One order that begins with each acceptor. */
function ordersOf(configuration: Configuration): Order[] {
  const { prepare, accept } = configuration;
  const acceptors = acceptorsOf(configuration);
  return acceptors.map((_, first) => {
    const turned = [...acceptors.slice(first), ...acceptors.slice(0, first)];
    const needed: string[] = [];
    for (const node of turned) {
      const isNeeded = [prepare, accept].some((set) => set.nodes.includes(node) && !containsQuorum(set, needed));
      if (isNeeded) needed.push(node);
    }
    return { nodes: [...needed, ...turned.filter((node) => !needed.includes(node))], enough: needed.length };
  });
}
