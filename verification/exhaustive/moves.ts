import { addCollectorMoves } from './collector-moves.js';
import { entry, forEachChoice, invokedBy, isHeardOf, localMove, Moves, subsetsOf } from './move.js';
import type { Answers, ProposerMoment } from './proposer-states.js';
import type { Way } from './sites.js';
import { requestTo, type ScenarioSystem, type World } from './world.js';

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
  addCollectorMoves(moves, world, system);
  return moves;
}

function addDecisions(moves: Moves, world: World, system: ScenarioSystem, proposer: number, state: ProposerMoment): void {
  const asked = state.asking?.acceptors ?? [];
  const ways = asked.map((at) => system.sites.waysToReply(entry(world.sites, at), proposer));
  const losses = world.lossesLeft;
  for (const voters of subsetsOf([...asked.keys()])) {
    const missing = asked.length - voters.length;
    const choices = voters.map((voter) => ways[voter] ?? []);
    forEachChoice(choices, (choice) => {
      const answers: Answers = choice.map(({ reply }, index) => [asked[voters[index] ?? 0] ?? 0, reply]);
      const { decided, timedOut } = entry(system.proposers, proposer).hear(state, answers);
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
          moves.add({ kind: isDecided ? 'decide' : 'time out', asker: proposer, ways: byAcceptor, world: nextWorld, orders });
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
