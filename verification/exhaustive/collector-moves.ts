import type { CollectorMoment } from './collector-states.js';
import { entry, forEachChoice, invokedBy, isHeardOf, localMove, type Move, type Moves } from './move.js';
import type { Way } from './sites.js';
import { collectorRequestTo, type ScenarioSystem, type World } from './world.js';

/** How the collections can go on. That one is dead, or that what it asks is late, is the same as that nothing of it happens yet. */
export function addCollectorMoves(moves: Moves, world: World, system: ScenarioSystem): void {
  for (const [collector, moment] of world.collectors.entries()) {
    if (moment.asking) addDecisions(moves, world, system, collector, moment.asking.acceptors);
    else if (moment.isReading) moves.add(moveTo(world, system, collector, told(world, system, collector, moment)));
    else if (moment.writing) addWrite(moves, world, system, collector, moment.writing);
  }
}

/** It goes on when all acceptors that it asked have replied. */
function addDecisions(moves: Moves, world: World, system: ScenarioSystem, collector: number, asked: readonly number[]): void {
  const asker = world.proposers.length + collector;
  const replies = asked.map((at) => system.sites.waysToReply(entry(world.sites, at), asker));
  forEachChoice(replies, (choice) => {
    const heard = new Map(choice.map(({ reply }, index) => [asked[index] ?? 0, reply]));
    const next = entry(system.collectors, collector).hear(entry(world.collectors, collector), heard);
    const waysToReplies = choice.map(({ ways }) => ways);
    forEachChoice(waysToReplies, (taken) => {
      moves.add(moveTo(world, system, collector, next, new Map(taken.map((way, index) => [asked[index] ?? 0, way]))));
    });
  });
}

/** A write is refused by a proposer of another era, and waits for the round that is under way there. */
function addWrite(
  moves: Moves,
  world: World,
  system: ScenarioSystem,
  collector: number,
  { proposer, configuration, expectedEra, isSent }: NonNullable<CollectorMoment['writing']>,
): void {
  const state = entry(world.proposers, proposer);
  if (state.isChanging) return;
  const automaton = entry(system.collectors, collector);
  const moment = entry(world.collectors, collector);
  if (isSent) {
    moves.add(moveTo(world, system, collector, automaton.written(moment, configuration)));
  } else if (state.configuration.era !== expectedEra) {
    moves.add(moveTo(world, system, collector, automaton.written(moment, undefined)));
  } else {
    const move = localMove(world, system, proposer, configuration);
    const next = entry(move.world.proposers, proposer).isChanging ? automaton.sent(moment) : automaton.written(moment, configuration);
    moves.add({ ...move, kind: 'configure', world: moveTo(move.world, system, collector, next).world });
  }
}

/** It asks for all configurations at one moment, and where nobody else changes them at the very moment at which it needs them. */
function told(world: World, system: ScenarioSystem, collector: number, moment: CollectorMoment): CollectorMoment {
  return entry(system.collectors, collector).told(
    moment,
    world.proposers.map(({ configuration }) => configuration),
  );
}

function moveTo(
  world: World,
  system: ScenarioSystem,
  collector: number,
  next: CollectorMoment,
  ways: ReadonlyMap<number, Way> = new Map(),
): Move {
  const asker = world.proposers.length + collector;
  let moment = next;
  while (moment.isReading && world.collectors.length === 1) moment = told(world, system, collector, moment);
  const sites = world.sites.map((present, at) =>
    system.sites.afterPhase(ways.get(at)?.site ?? present, asker, collectorRequestTo(moment, at)),
  );
  let { invoked } = world;
  for (const proposer of world.proposers.keys()) if (isHeardOf(world, ways, proposer)) invoked = invokedBy(world, invoked, proposer);
  const orders = [...ways.values()].reduce((product, way) => product * way.orders, 1);
  return {
    kind: 'collect',
    asker,
    ways,
    orders,
    world: { ...world, sites, invoked, collectors: world.collectors.with(collector, moment) },
  };
}
