import type { Violation } from '../checkers/history.js';
import type { Answers, ProposerMoment, ProposerStates } from './proposer-states.js';
import type { Site, Way } from './sites.js';
import { keyOf, requestTo, type ScenarioSystem, toldIn, type World } from './world.js';

/** What happens next, and the world after it. */
export interface Move {
  readonly kind: 'decide' | 'time out' | 'start' | 'configure';
  readonly proposer: number;
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

/**
 * Every way in which an execution can go on. Soundness: what happens between two decisions of a proposer (the moments when a reply or a timeout
 * ends its phase, so that it speaks again) changes nothing but the acceptors and what is under way. So
 *
 * - a reply is heard only together with the one that decides: before that the proposer says nothing;
 * - a request is delivered only when a decision needs the reply to it, or to one that the same acceptor gets later: deliveries to different
 *   acceptors commute, and so do a delivery and everything else but the decision that hears the reply;
 * - a reply that comes after its phase is over is no event (rule 5; see ProposerStates, which tries it in each state).
 *
 * Each execution can be brought into this order, message by message, without any node noticing.
 *
 * @param executions how many go on from each world that was visited, by its key
 */
export function movesOf(world: World, system: ScenarioSystem, executions: ReadonlyMap<string, number>): Moves {
  const moves = new Moves(system, executions);
  for (const [proposer, state] of world.proposers.entries()) {
    if (state.asking) addDecisions(moves, world, system, proposer, state);
    else if (state.canStart) moves.add({ ...localMove(world, system, proposer, 'start'), kind: 'start' });
  }
  const write = system.adminWrites[world.adminWrites];
  if (write && world.proposers.every(({ isChanging }) => !isChanging)) {
    const { world: after, ...move } = localMove(world, system, write.proposer, write.configuration);
    moves.add({ ...move, kind: 'configure', world: { ...after, adminWrites: world.adminWrites + 1 } });
  }
  return moves;
}

function addDecisions(moves: Moves, world: World, system: ScenarioSystem, proposer: number, state: ProposerMoment): void {
  const asked = state.asking?.acceptors ?? [];
  const ways = asked.map((at) => system.sites.waysToReply(siteAt(world, at), proposer));
  const losses = world.lossesLeft;
  for (const voters of subsetsOf([...asked.keys()])) {
    const missing = asked.length - voters.length;
    const choices = voters.map((voter) => ways[voter] ?? []);
    forEachChoice(choices, (choice) => {
      const answers: Answers = choice.map(({ reply }, index) => [asked[voters[index] ?? 0] ?? 0, reply]);
      const { decided, timedOut } = statesOf(system, proposer).hear(state, answers);
      const next = missing > 0 && missing <= losses ? [...decided, ...timedOut] : decided;
      if (next.length === 0) return;
      const waysToReplies = choice.map((toReply) => toReply.ways);
      forEachChoice(waysToReplies, (taken) => {
        const orders = taken.reduce((product, way) => product * way.orders, 1);
        const byAcceptor = new Map(taken.map((way, index) => [answers[index]?.[0] ?? 0, way]));
        for (const proposerState of next) {
          const isDecided = decided.includes(proposerState);
          const lossesLeft = isDecided ? losses : losses - missing;
          const nextWorld = after(world, system, proposer, byAcceptor, proposerState, lossesLeft);
          moves.add({ kind: isDecided ? 'decide' : 'time out', proposer, ways: byAcceptor, world: nextWorld, orders });
        }
      });
    });
  }
}

function after(
  world: World,
  system: ScenarioSystem,
  proposer: number,
  ways: ReadonlyMap<number, Way>,
  next: ProposerMoment,
  lossesLeft: number,
): World {
  const sites = world.sites.map((present, at) => system.sites.afterPhase(ways.get(at)?.site ?? present, proposer, requestTo(next, at)));
  let invoked = invokedBy(world, world.invoked, proposer);
  for (const other of world.proposers.keys()) if (isHeardOf(world, ways, other)) invoked = invokedBy(world, invoked, other);
  return { ...world, sites, proposers: world.proposers.with(proposer, next), invoked, lossesLeft };
}

/** A step that no message is needed for: an operation begins, or a change of configuration arrives. */
function localMove(
  world: World,
  system: ScenarioSystem,
  proposer: number,
  what: Parameters<ProposerStates['after']>[1],
): Omit<Move, 'kind'> {
  const present = stateAt(world, proposer);
  const next = statesOf(system, proposer).after(present, what);
  // A change that has to wait for a round leaves that round as it is.
  const sites =
    present.asking && next.asking
      ? world.sites
      : world.sites.map((site, at) => system.sites.afterPhase(site, proposer, requestTo(next, at)));
  return { proposer, ways: new Map(), orders: 1, world: { ...world, sites, proposers: world.proposers.with(proposer, next) } };
}

/** Whether a request of a proposer's present phase is delivered on one of these ways. */
function isHeardOf({ sites }: World, ways: ReadonlyMap<number, Way>, proposer: number): boolean {
  for (const [at, way] of ways) if (way.site.requests[proposer] !== sites[at]?.requests[proposer]) return true;
  return false;
}

function invokedBy(world: World, invoked: World['invoked'], proposer: number): World['invoked'] {
  const operations = invoked[proposer] ?? [];
  if (operations.length === stateAt(world, proposer).performed.length) return invoked;
  return invoked.with(proposer, [...operations, toldIn(world.proposers)]);
}

function subsetsOf<Item>([first, ...others]: readonly Item[]): Item[][] {
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

function siteAt({ sites }: World, at: number): Site {
  return entry(sites, at);
}

function stateAt({ proposers }: World, proposer: number): ProposerMoment {
  return entry(proposers, proposer);
}

function statesOf({ proposers }: ScenarioSystem, proposer: number): ProposerStates {
  return entry(proposers, proposer);
}

function entry<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new RangeError(`there is no number ${index}`);
  return item;
}
