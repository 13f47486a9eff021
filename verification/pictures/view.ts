import type { QuorumSet } from '../../src/protocol/quorum.js';
import type { HistoryVerdict } from '../checkers/judge.js';

/** A message that waits for the visitor. */
export interface Parcel {
  /** Counted from 1, in the order in which they were sent. */
  readonly number: number;
  readonly from: string;
  readonly to: string;
  /** Of the request; its reply counts as the same kind. */
  readonly kind: string;
  readonly text: string;
  /** In a word. */
  readonly label: string;
  readonly isReply: boolean;
  /** A second copy of one that arrived. */
  readonly isAgain: boolean;
}

/** A message, and what became of it. */
export interface Flight extends Parcel {
  /** The moves at which it was sent, and at which it arrived or was lost. */
  readonly sentAt: number;
  endedAt?: number;
  isLost?: boolean;
}

/** A proposer, as it is drawn. */
export interface ProposerSight {
  readonly name: string;
  readonly isUp: boolean;
  readonly isCut: boolean;
  readonly era: number;
  readonly prepare: QuorumSet;
  readonly accept: QuorumSet;
}

/** An acceptor, and what it holds of the key. */
export interface AcceptorSight {
  readonly name: string;
  readonly isUp: boolean;
  readonly isCut: boolean;
  readonly identity: string | undefined;
  readonly floor: string | undefined;
  readonly promise: string | undefined;
  readonly ballot: string | undefined;
  /** The number of the proposer of that ballot; 0: none. */
  readonly proposer: number;
  readonly held: string | undefined;
}

/** A message under way. */
export interface ParcelSight extends Parcel {
  /** Whether neither end is cut off. */
  readonly isPassable: boolean;
}

/** An operation of a client. Its ends are events: one that ended before another one began has the lower number. */
export interface BarSight {
  readonly client: string;
  readonly text: string;
  readonly answer: string | undefined;
  readonly from: number;
  readonly to: number | undefined;
  readonly isWrite: boolean;
  readonly outcome: 'state' | 'written' | 'refused' | 'unknown' | undefined;
  /** The moves. */
  readonly beganAt: number;
  readonly endedAt: number | undefined;
}

export interface StageView {
  readonly proposers: readonly ProposerSight[];
  readonly acceptors: readonly AcceptorSight[];
  /** In the order in which they were sent. */
  readonly parcels: readonly ParcelSight[];
  /** Those and all that were. */
  readonly flights: readonly Flight[];
  readonly bars: readonly BarSight[];
  /** That was asked for last. */
  readonly key: string;
  /** What there is before the first move, in words. */
  readonly beginning: readonly string[];
  /** `event`: what happened that is no message and no operation of a client, if it is not what was chosen. */
  readonly moves: readonly { readonly choice: string; readonly lines: readonly string[]; readonly event?: string }[];
  readonly verdict: HistoryVerdict;
  /** What a compare-and-set would expect. */
  readonly nextVer: number;
  readonly isBusy: boolean;
  /** Of a run of the simulation, which nobody moves: what to type to read it in a terminal, its keys, and the rules that it violates. */
  readonly recorded?: { readonly command: string; readonly keys: readonly string[]; readonly violated: readonly string[] };
}
