import type { Ballot } from './ballot.js';

/** What a register holds: text that the protocol does not look into, never "", or null for the empty register. */
export type Value = string | null;

/** A value and the ballot that it was accepted under; `ZERO_BALLOT` and null if nothing was accepted yet. */
export interface Accepted {
  readonly ballot: Ballot;
  readonly value: Value;
}

/** All that a register holds. */
export interface RegisterState extends Accepted {
  readonly promise: Ballot;
}

/**
 * What an acceptor keeps of the registers that were removed when their values had been deleted (paper, section 3.1): a register that is absent has
 * promised the era, and its key may have been at the version.
 */
export interface Floor {
  /** The acceptor takes no ballot of an earlier era for a register that is absent. */
  readonly era: number;
  /** At least the version of every tombstone that was removed. */
  readonly version: number;
}

/** Refused: a ballot at least as high stood in the way. */
export interface Conflict {
  readonly ok: false;
  readonly conflict: Ballot;
}

/** `floor`: the version of the acceptor's floor, if it has one and the register holds no value. */
export type PrepareReply = ({ readonly ok: true; readonly floor?: number } & Accepted) | Conflict;
export type AcceptReply = { readonly ok: true } | Conflict;

/**
 * The acceptor's role (paper, section 2.2): one register for each key, remembered across crashes.
 * Every method rejects if the acceptor cannot be reached or does not answer in time; whether it acted is then unknown. Only where it certainly
 * did not, and never will, it rejects with a `NotRun`: with a `StrangerError` if another acceptor answers, which has changed nothing.
 */
export interface Acceptor {
  /**
   * Promises to take nothing below `ballot`, which must be above the promise and above the accepted ballot.
   * @param frees see `RoundOptions`; here and below it matters to an acceptor that has no memory left
   */
  prepare(key: string, ballot: Ballot, frees?: boolean): Promise<PrepareReply>;
  /**
   * Takes `value` if `ballot` is at least the promise and above the accepted ballot, or repeats the accepted ballot with the same value.
   * @param next is promised in the same step (paper, section 2.2.1), so that the proposer may skip its next prepare
   */
  accept(key: string, ballot: Ballot, value: Value, next: Ballot, frees?: boolean): Promise<AcceptReply>;
  /** What was promised, and accepted last. Changes nothing. */
  read(key: string): Promise<RegisterState>;
}
