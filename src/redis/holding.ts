import { type Ballot, compareBallots, parseBallot } from '../protocol/ballot.js';

/**
 * How much a register holds, in one word, as an acceptor says it: the accepted ballot as `formatBallot` writes it, a colon, and the bytes of the value. "1.2.1.5:60";
 * ":0" if it holds nothing but a promise, "-" if it is absent. Of a million registers most are the same on two acceptors, and so is the word.
 */
export type Holding = string;

export const ABSENT: Holding = '-';

/** As `formatBallot` writes it; that of `ZERO_BALLOT` for a register that is absent. */
export function ballotTextIn(holding: Holding): string {
  return holding.slice(0, Math.max(0, holding.indexOf(':')));
}

export function ballotIn(holding: Holding): Ballot {
  return parseBallot(ballotTextIn(holding));
}

export function valueBytesIn(holding: Holding): number {
  return holding === ABSENT ? 0 : Number(holding.slice(holding.indexOf(':') + 1));
}

/** Whether its ballot is above the other one's. */
export function isAbove(holding: Holding, other: Holding): boolean {
  const [ballot, least] = [ballotTextIn(holding), ballotTextIn(other)];
  if (ballot === least || ballot === '') return false;
  return least === '' || compareBallots(parseBallot(ballot), parseBallot(least)) > 0;
}
