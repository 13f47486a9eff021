import type { QuorumSet } from '../../src/protocol/quorum.js';
import type { Flight, Parcel } from './held-network.js';
import type { HistoryVerdict } from './judge.js';

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
  readonly moves: readonly { readonly choice: string; readonly lines: readonly string[] }[];
  readonly verdict: HistoryVerdict;
  /** What a compare-and-set would expect. */
  readonly nextVer: number;
  readonly isBusy: boolean;
}
