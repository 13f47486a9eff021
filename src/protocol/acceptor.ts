import type { Ballot } from './ballot.js';

/** What a register holds: text that the protocol does not look into, never "", or null for the empty register. */
export type Value = string | null;

/** A value and the ballot it was accepted under; `ZERO_BALLOT` and null where nothing was accepted yet. */
export interface Accepted {
  readonly ballot: Ballot;
  readonly value: Value;
}

/** All that a register holds. */
export interface Held extends Accepted {
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
 * Who answers is not the acceptor that was meant: it lost its data, was wiped, or is another one at the same address. It has forgotten
 * promises, so it takes part in nothing.
 */
export class IdentityMismatch extends Error {}

/** As it is set up, it would lose promises or values: it takes part in nothing. The message says why. */
export class UnfitAcceptor extends Error {}

/**
 * The acceptor's role (paper, section 2.2): one register for each key, remembered across crashes.
 * Every method rejects where the acceptor cannot be reached or does not answer in time; whether it acted is then unknown. It rejects with
 * {@link IdentityMismatch} where another one answers; that one has changed nothing.
 */
export interface Acceptor {
  /** Promises to take nothing below `ballot`, which must be above the promise and above the accepted ballot. */
  prepare(key: string, ballot: Ballot): Promise<PrepareReply>;
  /**
   * Takes `value` where `ballot` is at least the promise and above the accepted ballot, or repeats the accepted ballot with the same value.
   * @param next is promised in the same step (paper, section 2.2.1), so that the proposer may skip its next prepare
   */
  accept(key: string, ballot: Ballot, value: Value, next: Ballot): Promise<AcceptReply>;
  /** What was promised, and accepted last. Changes nothing. */
  read(key: string): Promise<Held>;
}
