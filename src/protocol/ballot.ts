/**
 * A ballot orders the rounds of one register (paper, section 2.1). Compared by era, then counter, then proposer, then incarnation.
 * Every part is an integer from 0 to 2^53 - 1.
 */
export interface Ballot {
  /** The era of the configuration: a round of a later configuration is above every round of an earlier one. */
  readonly era: number;
  readonly counter: number;
  /** The number of the proposer, unique in the cluster: two proposers never share a ballot. */
  readonly proposer: number;
  /** Which start of that proposer: one that forgot its counter in a crash never shares a ballot with itself. */
  readonly incarnation: number;
}

/** Below every ballot that a proposer uses: the ballot of a register that nothing was accepted for. */
export const ZERO_BALLOT: Ballot = { era: 0, counter: 0, proposer: 0, incarnation: 0 };

/** Negative if `a` is below `b`, positive if it is above, 0 if they are the same ballot. */
export function compareBallots(a: Ballot, b: Ballot): number {
  return a.era - b.era || a.counter - b.counter || a.proposer - b.proposer || a.incarnation - b.incarnation;
}

/** The text an acceptor stores: `era.counter.proposer.incarnation`; nothing ("") for {@link ZERO_BALLOT}. */
export function formatBallot(ballot: Ballot): string {
  if (compareBallots(ballot, ZERO_BALLOT) === 0) return '';
  return `${ballot.era}.${ballot.counter}.${ballot.proposer}.${ballot.incarnation}`;
}

const BALLOT = /^(\d+)\.(\d+)\.(\d+)\.(\d+)$/;

/** The reverse of {@link formatBallot}. Throws a `TypeError` for any other text. */
export function parseBallot(text: string): Ballot {
  if (text === '') return ZERO_BALLOT;
  const [era, counter, proposer, incarnation] = (BALLOT.exec(text) ?? []).slice(1).map(Number);
  if (![era, counter, proposer, incarnation].every(Number.isSafeInteger)) throw new TypeError(`not a ballot: "${text}"`);
  return { era, counter, proposer, incarnation } as Ballot;
}

/** Hands out the ballots of one proposer, each at most once, whatever became of the round it was for. */
export class BallotCounter {
  #era: number;
  #configuredEra: number;
  #counter = 0;
  readonly #proposer: number;
  readonly #incarnation: number;

  constructor(proposer: number, incarnation: number, era: number) {
    this.#proposer = proposer;
    this.#incarnation = incarnation;
    this.#era = era;
    this.#configuredEra = era;
  }

  /** A ballot never used before, above every ballot seen so far that {@link fastForward} could follow. */
  next(): Ballot {
    if (this.#counter >= Number.MAX_SAFE_INTEGER) throw new RangeError('the ballot counter is exhausted');
    this.#counter += 1;
    return { era: this.#era, counter: this.#counter, proposer: this.#proposer, incarnation: this.#incarnation };
  }

  /**
   * Learns of a ballot that stood in the way (paper, section 2.1). Only ever raises the counter.
   * @returns false if the ballot is of an era that this proposer's configuration does not reach: the configuration is stale
   */
  fastForward(seen: Ballot): boolean {
    if (seen.era > this.#configuredEra + 1) return false;
    this.#era = Math.max(this.#era, seen.era);
    this.#counter = Math.max(this.#counter, seen.counter);
    return true;
  }

  /** Enters the era of a new configuration. */
  enterEra(era: number): void {
    this.#configuredEra = era;
    this.#era = Math.max(this.#era, era);
  }
}
