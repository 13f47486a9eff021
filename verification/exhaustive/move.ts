import type { Violation } from '../checkers/history.js';
import type { ProposerStates } from './proposer-states.js';
import type { Way } from './sites.js';
import { keyOf, requestTo, type ScenarioSystem, toldIn, type World } from './world.js';

/** What happens next, and the world after it. */
export interface Move {
  readonly kind: 'decide' | 'time out' | 'start' | 'configure' | 'collect';
  /** Whose move it is; of a collection, its place after all proposers. */
  readonly asker: number;
  /** By acceptor: the requests that are delivered, until the one that the proposer hears the reply to is. */
  readonly ways: ReadonlyMap<number, Way>;
  readonly world: World;
  /** How many orders of deliveries this stands for. */
  readonly orders: number;
}

/** The moves from one world, those to the same next world as one. */
export class Moves {
  /** To worlds that were not visited yet, by their keys. */
  readonly fresh = new Map<string, Move>();
  /** How many executions go on through worlds that were. */
  executions = 0;
  count = 0;
  /** One on which an acceptor does what it must not. */
  broken: { readonly move: Move; readonly violation: Violation } | undefined;
  readonly #system: ScenarioSystem;
  readonly #executions: ReadonlyMap<string, number>;

  constructor(system: ScenarioSystem, executions: ReadonlyMap<string, number>) {
    this.#system = system;
    this.#executions = executions;
  }

  add(move: Move): void {
    this.count += 1;
    for (const { violation } of move.ways.values()) if (violation) this.broken ??= { move, violation };
    const key = keyOf(move.world, this.#system);
    const known = this.#executions.get(key);
    if (known !== undefined) {
      this.executions += move.orders * known;
      return;
    }
    const same = this.fresh.get(key);
    this.fresh.set(key, same ? { ...same, orders: same.orders + move.orders } : move);
  }
}

/** A step that no message is needed for: an operation begins, or a change of configuration arrives. */
export function localMove(
  world: World,
  system: ScenarioSystem,
  proposer: number,
  what: Parameters<ProposerStates['after']>[1],
): Omit<Move, 'kind'> {
  const present = entry(world.proposers, proposer);
  const next = entry(system.proposers, proposer).after(present, what);
  // A change that has to wait for a round leaves that round as it is.
  const sites =
    present.asking && next.asking
      ? world.sites
      : world.sites.map((site, at) => system.sites.afterPhase(site, proposer, requestTo(next, at)));
  return { asker: proposer, ways: new Map(), orders: 1, world: { ...world, sites, proposers: world.proposers.with(proposer, next) } };
}

/** Whether a request of a proposer's present phase is delivered on one of these ways. */
export function isHeardOf({ sites }: World, ways: ReadonlyMap<number, Way>, proposer: number): boolean {
  for (const [at, way] of ways) if (way.site.requests[proposer] !== sites[at]?.requests[proposer]) return true;
  return false;
}

export function invokedBy(world: World, invoked: World['invoked'], proposer: number): World['invoked'] {
  const operations = invoked[proposer] ?? [];
  if (operations.length === entry(world.proposers, proposer).performed.length) return invoked;
  return invoked.with(proposer, [...operations, toldIn(world.proposers)]);
}

export function subsetsOf<Item>([first, ...others]: readonly Item[]): Item[][] {
  if (first === undefined) return [[]];
  const without = subsetsOf(others);
  return [...without, ...without.map((subset) => [first, ...subset])];
}

/** Every choice of one item from each list; the array is the same each time. */
export function forEachChoice<Item>(
  lists: readonly (readonly Item[])[],
  visit: (choice: readonly Item[]) => void,
  chosen: Item[] = [],
): void {
  const list = lists[chosen.length];
  if (!list) {
    visit(chosen);
    return;
  }
  for (const item of list) {
    chosen.push(item);
    forEachChoice(lists, visit, chosen);
    chosen.pop();
  }
}

/** Of a proposer, an acceptor or a collection, by its number. */
export function entry<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new RangeError(`there is no number ${index}`);
  return item;
}
