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

/** Refused: a ballot at least as high stood in the way. */
export interface Conflict {
  readonly ok: false;
  readonly conflict: Ballot;
}

export type PrepareReply = ({ readonly ok: true } & Accepted) | Conflict;
export type AcceptReply = { readonly ok: true } | Conflict;

/**
 * The acceptor's role (paper, section 2.2): one register for each key, remembered across crashes.
 * Every method rejects if the acceptor cannot be reached or does not answer in time; whether it acted is then unknown. It rejects with a
 * `StrangerError` if another acceptor answers; that one has changed nothing.
 */
export interface Acceptor {
  /** Promises to take nothing below `ballot`, which must be above the promise and above the accepted ballot. */
  prepare(key: string, ballot: Ballot): Promise<PrepareReply>;
  /**
   * Takes `value` if `ballot` is at least the promise and above the accepted ballot, or repeats the accepted ballot with the same value.
   * @param next is promised in the same step (paper, section 2.2.1), so that the proposer may skip its next prepare
   */
  accept(key: string, ballot: Ballot, value: Value, next: Ballot): Promise<AcceptReply>;
  /** What was promised, and accepted last. Changes nothing. */
  read(key: string): Promise<RegisterState>;
}
