import { requestText } from '../simulation/client.js';
import type { ClientOutcome, Request } from '../checkers/history.js';
import type { Reply } from '../simulation/acceptor-message.js';
import { type CollectorReply, describeCollectorMessage, describeCollectorReply, isOfCollector } from './collector-messages.js';
import type { CollectorMoment } from './collector-states.js';
import { type AnyMessage, describeMessage, describeReply } from './messages.js';
import type { Move } from './move.js';
import type { Performed } from './client.js';
import type { Delivery } from './sites.js';
import type { ScenarioSystem, World } from './world.js';

/** Tells an execution, one line for each message that arrives and for each thing that a proposer does about it. */
export function traceOf(first: World, path: readonly Move[], system: ScenarioSystem): string[] {
  const lines = first.proposers.flatMap((state, proposer) => spokenBy(proposer, [], state.performed, state.asking, system));
  for (const [at, { late }] of first.sites.entries()) {
    for (const message of late) lines.push(`on its way to ${system.acceptorNames[at] ?? ''}: ${textOf(system.messages.at(message))}`);
  }
  for (const [collector, moment] of first.collectors.entries()) lines.push(...saidBy(collector, moment, system));
  let world = first;
  for (const move of path) {
    for (const [at, way] of move.ways) {
      const name = system.acceptorNames[at] ?? '';
      const site = world.sites[at];
      const deliveries = (site && system.sites.deliveriesBetween(site, move.asker, way.site)) ?? [];
      for (const delivery of deliveries) lines.push(`${name} gets ${deliveryText(delivery, system)}`);
    }
    lines.push(`${nameOf(move.asker, system)} ${deedOf(move, system)}`);
    const before = world.proposers[move.asker];
    const after = move.world.proposers[move.asker];
    // A change of configuration that waits for the round lets the proposer go on waiting.
    const isSilent = before?.asking !== undefined && after?.isChanging === true && move.kind === 'configure';
    if (after && !isSilent) lines.push(...spokenBy(move.asker, before?.performed ?? [], after.performed, after.asking, system));
    for (const [collector, moment] of move.world.collectors.entries()) {
      if (moment !== world.collectors[collector]) lines.push(...saidBy(collector, moment, system));
    }
    world = move.world;
  }
  return lines;
}

function nameOf(asker: number, { proposers, scenario }: ScenarioSystem): string {
  if (asker < proposers.length) return `p${asker + 1}`;
  const collector = asker - proposers.length;
  return collector < (scenario.collections ?? 0) ? `collection ${collector + 1}` : 'the copying';
}

function textOf(message: AnyMessage): string {
  return isOfCollector(message) ? describeCollectorMessage(message) : describeMessage(message);
}

function deliveryText({ message, proposer: asker, reply }: Delivery, system: ScenarioSystem): string {
  const [asked, answered] = [system.messages.at(message), system.replies.at(reply)];
  const what = textOf(asked);
  const answer = isOfCollector(asked) ? describeCollectorReply(answered as CollectorReply) : describeReply(answered as Reply);
  return asker === undefined ? `the late ${what}: ${answer}` : `${nameOf(asker, system)}'s ${what}: ${answer}`;
}

function saidBy(collector: number, { asking, isOver }: CollectorMoment, system: ScenarioSystem): string[] {
  const { messages, acceptorNames } = system;
  const name = nameOf(system.proposers.length + collector, system);
  if (isOver) return [`${name} is over`];
  const message = asking && messages.at(asking.message);
  if (!message || !isOfCollector(message)) return [];
  return [`${name} asks ${asking.acceptors.map((at) => acceptorNames[at]).join(', ')}: ${describeCollectorMessage(message)}`];
}

function deedOf({ kind, ways, world, asker }: Move, { acceptorNames }: ScenarioSystem): string {
  const heard = [...ways.keys()].map((at) => acceptorNames[at] ?? '').join(' and ');
  if (kind === 'start') return 'begins';
  if (kind === 'configure') {
    const state = world.proposers[asker];
    return state?.isChanging ? 'is to change its configuration after this round' : `changes to era ${state?.configuration.era ?? 0}`;
  }
  if (kind === 'collect' && heard === '') return 'goes on';
  if (kind === 'decide' || kind === 'collect') return `hears ${heard}`;
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
  const message = asking && system.messages.at(asking.message);
  if (message && !isOfCollector(message)) {
    lines.push(`p${proposer + 1} sends ${asking.acceptors.map((at) => system.acceptorNames[at]).join(', ')}: ${describeMessage(message)}`);
  }
  return lines;
}

function describeRequest(request: Request): string {
  if (request.kind === 'get') return 'the value';
  return request.kind === 'cas' ? `${request.val} over version ${request.ver}` : requestText('', request);
}

function describeOutcome(outcome: ClientOutcome): string {
  return outcome.kind === 'state' ? `version ${outcome.ver}, ${String(outcome.val)}` : outcome.kind;
}
