import { compareBallots, parseBallot } from '../../../src/protocol/ballot.js';
import type { WatchedKey, WatchedMessage, WatchedRound, WatchedValue } from '../../../src/http/watched-key.js';
import { shortName } from '../../narration/short-name.js';

/** Of all proposers together: a page draws no more, and what it asks for each second stays small. */
const ROUNDS_TOLD = 32;

/** What an acceptor holds of the key. */
export interface Holdings {
  readonly promise: string;
  readonly ballot: string;
  /** The number of the proposer of that ballot; 0: none. */
  readonly proposer: number;
  /** Undefined: nothing. */
  readonly held?: string;
}

/** One message of the watched key was sent, or answered. Nodes are named as on the playground's stage: p1, a1. */
export interface TwinMoment {
  /** Its own, and the same in each telling. */
  readonly id: string;
  readonly atMs: number;
  readonly from: string;
  readonly to: string;
  readonly isReply: boolean;
  readonly label: 'prepare' | 'accept' | 'promised' | 'accepted' | 'refused' | 'no answer';
  readonly text: string;
  /** An answer that came when all was decided without it. */
  readonly isLate?: true;
  /** What the proposer knew with this answer: that it has its quorum, or can have none. */
  readonly decision?: string;
  /** As far as the answers up to this one tell. What an acceptor promised and accepted only grows, in whatever order that is heard. */
  readonly holds?: Holdings;
}

/** What the proposers have seen of the key, in the order of their clocks. @param acceptors by name, as the page lists them */
export function tell(watched: readonly WatchedKey[], acceptors: readonly string[]): TwinMoment[] {
  const all = watched.flatMap(({ proposer, rounds }) => rounds.map((round) => ({ proposer, round })));
  const begun = (round: WatchedRound): number => round.messages[0]?.sentAtMs ?? 0;
  const rounds = all.toSorted((a, b) => begun(a.round) - begun(b.round)).slice(-ROUNDS_TOLD);
  const moments = rounds.flatMap(({ proposer, round }) =>
    (['prepare', 'accept'] as const).flatMap((phase) => phaseOf(round, phase, `p${proposer}`, acceptors)),
  );
  const holdings = new Map<string, Holdings>();
  return moments
    .toSorted((a, b) => a.moment.atMs - b.moment.atMs)
    .map(({ moment, told }) => {
      if (!told) return moment;
      const holds = highest(holdings.get(moment.from), told);
      holdings.set(moment.from, holds);
      return { ...moment, holds };
    });
}

interface ToldMoment {
  readonly moment: TwinMoment;
  /** What the answer says of its acceptor. */
  readonly told?: Holdings;
}

function phaseOf(round: WatchedRound, phase: WatchedMessage['phase'], proposer: string, acceptors: readonly string[]): ToldMoment[] {
  const messages = round.messages.filter((message) => message.phase === phase);
  const nameOf = ({ acceptor }: WatchedMessage): string => `a${acceptors.indexOf(acceptor) + 1}`;
  const idOf = (message: WatchedMessage): string => `${round.ballot} ${phase} ${nameOf(message)}`;
  const sent = messages.map((message): ToldMoment => {
    const to = nameOf(message);
    const text = asked(round, phase);
    return { moment: { id: idOf(message), atMs: message.sentAtMs, from: proposer, to, isReply: false, label: phase, text } };
  });
  const votes = new Votes(round, phase);
  const answered = messages
    .flatMap((message) => (message.tookMs === undefined ? [] : [{ message, tookMs: message.tookMs }]))
    .toSorted((a, b) => a.message.sentAtMs + a.tookMs - (b.message.sentAtMs + b.tookMs))
    .map(({ message, tookMs }): ToldMoment => {
      const { isLate, decision } = votes.hear(message);
      const told = toldBy(message, round);
      const moment: TwinMoment = {
        id: `${idOf(message)} answer`,
        atMs: message.sentAtMs + tookMs,
        from: nameOf(message),
        to: proposer,
        isReply: true,
        label: labelOf(message),
        text: `${answerText(message, round)}, after ${tookMs.toFixed(1)} ms`,
        ...(isLate && { isLate }),
        ...(decision !== undefined && { decision }),
      };
      return { moment, ...(told && { told }) };
    });
  return [...sent, ...answered];
}

/** Counts the answers of one phase as the proposer does. */
class Votes {
  readonly #round: WatchedRound;
  readonly #phase: WatchedMessage['phase'];
  readonly #yes: WatchedMessage[] = [];
  #noes = 0;
  #standsInTheWay = '';
  #isDecided = false;

  constructor(round: WatchedRound, phase: WatchedMessage['phase']) {
    this.#round = round;
    this.#phase = phase;
  }

  hear(message: WatchedMessage): { isLate?: true; decision?: string } {
    const { nodes, quorum } = this.#round[this.#phase];
    if (message.outcome === 'ok') this.#yes.push(message);
    else this.#noes += 1;
    if (message.outcome === 'conflict') this.#standsInTheWay = message.ballot ?? '';
    if (this.#isDecided) return message.outcome === 'failed' ? {} : { isLate: true };
    if (this.#yes.length < quorum && this.#noes <= nodes.length - quorum) return {};
    this.#isDecided = true;
    return { decision: this.#yes.length >= quorum ? this.#won(`${quorum} of ${nodes.length}`) : this.#lost() };
  }

  #won(size: string): string {
    const voters = this.#yes.map(({ acceptor }) => shortName(acceptor)).join(' and ');
    if (this.#phase === 'accept')
      return `${shortBallot(this.#round.ballot)}: chosen, ${valueText(this.#round.value)}: ${voters} are an accept quorum, ${size}`;
    const [latest] = this.#yes.toSorted((a, b) => compareBallots(parseBallot(b.ballot ?? ''), parseBallot(a.ballot ?? '')));
    return `${shortBallot(this.#round.ballot)}: ${voters} are a prepare quorum, ${size}. The latest that they hold: ${valueText(latest?.value)}`;
  }

  #lost(): string {
    const why = this.#standsInTheWay === '' ? 'too few answer' : `${shortBallot(this.#standsInTheWay)} stands in the way`;
    return `${shortBallot(this.#round.ballot)}: no ${this.#phase} quorum, ${why}`;
  }
}

function asked({ ballot, value, next }: WatchedRound, phase: WatchedMessage['phase']): string {
  if (phase === 'prepare') return `prepare ${shortBallot(ballot)}`;
  return `accept ${shortBallot(ballot)}: ${valueText(value)}; and promise ${shortBallot(next ?? '')}`;
}

function labelOf({ phase, outcome }: WatchedMessage): TwinMoment['label'] {
  if (outcome === 'ok') return phase === 'prepare' ? 'promised' : 'accepted';
  return outcome === 'conflict' ? 'refused' : 'no answer';
}

function answerText({ phase, outcome, ballot = '', value, reason = '' }: WatchedMessage, round: WatchedRound): string {
  if (outcome === 'failed') return `no answer: ${reason}`;
  if (outcome === 'conflict') return `refused ${shortBallot(round.ballot)}: has seen ${shortBallot(ballot)}`;
  if (phase === 'accept') return `accepted ${shortBallot(round.ballot)}`;
  return `promised ${shortBallot(round.ballot)}; ${ballot === '' ? 'holds nothing' : `holds ${valueText(value)} by ${shortBallot(ballot)}`}`;
}

function toldBy({ phase, outcome, ballot = '', value }: WatchedMessage, round: WatchedRound): Holdings | undefined {
  if (outcome === 'failed') return undefined;
  if (outcome === 'conflict') return { promise: ballot, ...NOTHING };
  return phase === 'prepare'
    ? { promise: round.ballot, ...accepted(ballot, value) }
    : { promise: round.next ?? round.ballot, ...accepted(round.ballot, round.value) };
}

const NOTHING = { ballot: '', proposer: 0 };

function accepted(ballot: string, value: WatchedValue | undefined): Omit<Holdings, 'promise'> {
  return { ballot, proposer: parseBallot(ballot).proposer, ...(value && { held: valueText(value) }) };
}

function highest(known: Holdings | undefined, told: Holdings): Holdings {
  if (!known) return told;
  const isAbove = (a: string, b: string): boolean => compareBallots(parseBallot(a), parseBallot(b)) > 0;
  const { ballot, proposer, held } = isAbove(told.ballot, known.ballot) ? told : known;
  const promise = isAbove(told.promise, known.promise) ? told.promise : known.promise;
  return { promise, ballot, proposer, ...(held !== undefined && { held }) };
}

function valueText(value: WatchedValue | undefined): string {
  if (!value) return 'nothing';
  return value.isDeleted ? `deleted, version ${value.version}` : `${value.text}, version ${value.version}`;
}

/** Without the incarnation, which changes with each start of a proposer. */
function shortBallot(ballot: string): string {
  return ballot.replace(/\.\d+$/, '');
}
