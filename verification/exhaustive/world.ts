import type { AcceptorStates } from './acceptor-states.js';
import type { CollectorMoment, CollectorStates } from './collector-states.js';
import type { AnyMessage, AnyReply, Numbered } from './messages.js';
import type { ProposerMoment, ProposerStates } from './proposer-states.js';
import type { AdminWrite, Scenario } from './scenario.js';
import { NEVER_ASKED, NOT_ASKED, type RequestState, requestUnderWay, type Site, type Sites } from './sites.js';

/** What one scenario is made of. Messages, replies and registers go by their numbers. */
export interface ScenarioSystem {
  readonly scenario: Scenario;
  readonly acceptorNames: readonly string[];
  /** Groups of acceptors, by their places, that nothing tells apart. */
  readonly alike: readonly (readonly number[])[];
  readonly messages: Numbered<AnyMessage>;
  readonly replies: Numbered<AnyReply>;
  readonly acceptors: AcceptorStates;
  readonly sites: Sites;
  readonly proposers: readonly ProposerStates[];
  readonly adminWrites: readonly AdminWrite[];
  /** One for each collection and copying. */
  readonly collectors: readonly CollectorStates[];
}

/** One moment of one execution. */
export interface World {
  /** By acceptor. */
  readonly sites: readonly Site[];
  readonly proposers: readonly ProposerMoment[];
  /**
   * By proposer: for each operation that was invoked, how many operations of each client had told something by then. An operation is invoked
   * at the last moment, just before the first message of it that is delivered, and returns at the first: the strictest history.
   */
  readonly invoked: readonly (readonly (readonly number[])[])[];
  readonly lossesLeft: number;
  /** How many of the control node's writes have arrived. */
  readonly adminWrites: number;
  /** One for each collection and copying. What it asks of an acceptor comes after the requests of the proposers. */
  readonly collectors: readonly CollectorMoment[];
}

/** The same text for two worlds with the same future, and with the same past as far as a client could tell. */
export function keyOf({ sites, proposers, invoked, lossesLeft, adminWrites, collectors }: World, { alike }: ScenarioSystem): string {
  let key = String.fromCharCode(lossesLeft, adminWrites);
  for (const { number } of [...proposers, ...collectors]) key += characters(number);
  for (const group of alike) {
    const numbers = group.map((at) => sites[at]?.number ?? 0);
    for (const number of numbers.sort((a, b) => a - b)) key += characters(number);
  }
  for (const operations of invoked) {
    key += String.fromCharCode(operations.length);
    for (const after of operations) key += String.fromCharCode(...after);
  }
  return key;
}

/** Two characters hold a number below 2^30: millions of keys have to fit into memory. */
function characters(number: number): string {
  return String.fromCharCode(number & 0x7fff, number >> 15);
}

/** What a phase that has just begun asks of an acceptor. */
export function requestTo({ asking }: Pick<ProposerMoment, 'asking'>, acceptor: number): RequestState {
  return asking?.acceptors.includes(acceptor) ? requestUnderWay(asking.message) : NOT_ASKED;
}

/** The same, of a collection. */
export function collectorRequestTo(moment: CollectorMoment, acceptor: number): RequestState {
  return moment.isOver ? NEVER_ASKED : requestTo(moment, acceptor);
}

/**
 * How many operations of each client have returned, up to the last one that told its client anything: those which were refused, or whose outcome
 * is unknown, put no operation after them under an obligation.
 */
export function toldIn(proposers: readonly Pick<ProposerMoment, 'performed'>[]): number[] {
  return proposers.map(
    ({ performed }) => performed.findLastIndex(({ outcome }) => outcome?.kind === 'state' || outcome?.kind === 'written') + 1,
  );
}
