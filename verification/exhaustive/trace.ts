import { requestText } from '../simulation/client.js';
import type { ClientOutcome, Request } from '../checkers/history.js';
import { describeMessage, describeReply } from './messages.js';
import type { Move } from './moves.js';
import type { Performed } from './client.js';
import type { ScenarioSystem, World } from './world.js';

/** Tells an execution, one line for each message that arrives and for each thing that a proposer does about it. */
export function traceOf(first: World, path: readonly Move[], system: ScenarioSystem): string[] {
  const lines = first.proposers.flatMap((state, proposer) => spokenBy(proposer, [], state.performed, state.asking, system));
  let world = first;
  for (const move of path) {
    for (const [at, way] of move.ways) {
      const name = system.acceptorNames[at] ?? '';
      const site = world.sites[at];
      const deliveries = (site && system.sites.deliveriesBetween(site, move.proposer, way.site)) ?? [];
      for (const { message, proposer, reply } of deliveries) {
        const what = describeMessage(system.messages.at(message));
        const sender = proposer === undefined ? `the late ${what}` : `p${proposer + 1}'s ${what}`;
        lines.push(`${name} gets ${sender}: ${describeReply(system.replies.at(reply))}`);
      }
    }
    lines.push(`p${move.proposer + 1} ${deedOf(move, system)}`);
    const before = world.proposers[move.proposer];
    const after = move.world.proposers[move.proposer];
    // A change of configuration that waits for the round lets the proposer go on waiting.
    const isSilent = before?.asking !== undefined && after?.isChanging === true && move.kind === 'configure';
    if (after && !isSilent) lines.push(...spokenBy(move.proposer, before?.performed ?? [], after.performed, after.asking, system));
    world = move.world;
  }
  return lines;
}

function deedOf({ kind, ways, world, proposer }: Move, { acceptorNames }: ScenarioSystem): string {
  const heard = [...ways.keys()].map((at) => acceptorNames[at] ?? '').join(' and ');
  if (kind === 'start') return 'begins';
  if (kind === 'configure') {
    const state = world.proposers[proposer];
    return state?.isChanging ? 'is to change its configuration after this round' : `changes to era ${state?.configuration.era ?? 0}`;
  }
  if (kind === 'decide') return `hears ${heard}`;
  return heard === '' ? 'hears nobody in time' : `hears ${heard}, and nobody else in time`;
}

function spokenBy(
  proposer: number,
  before: readonly Performed[],
  after: readonly Performed[],
  asking: { readonly message: number; readonly acceptors: readonly number[] } | undefined,
  system: ScenarioSystem,
): string[] {
  const lines: string[] = [];
  for (const [index, { request, outcome }] of after.entries()) {
    if (index >= before.length) lines.push(`client ${proposer + 1} asks p${proposer + 1} for ${describeRequest(request)}`);
    if (outcome && !before[index]?.outcome) lines.push(`client ${proposer + 1} is told: ${describeOutcome(outcome)}`);
  }
  if (asking)
    lines.push(
      `p${proposer + 1} sends ${asking.acceptors.map((at) => system.acceptorNames[at]).join(', ')}: ${describeMessage(system.messages.at(asking.message))}`,
    );
  return lines;
}

function describeRequest(request: Request): string {
  if (request.kind === 'get') return 'the value';
  return request.kind === 'cas' ? `${request.val} over version ${request.ver}` : requestText('', request);
}

function describeOutcome(outcome: ClientOutcome): string {
  return outcome.kind === 'state' ? `version ${outcome.ver}, ${String(outcome.val)}` : outcome.kind;
}
