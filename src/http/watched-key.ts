import type { QuorumSet } from '../protocol/quorum.js';

/** A value, for people: without the records that a register keeps beside it. */
export interface WatchedValue {
  /** Of a tombstone: the version of the deletion. 0 where the register holds what is no value of ours; `text` is then that. */
  readonly version: number;
  /** JSON, cut off if it is long; "" if there is no value. */
  readonly text: string;
  readonly isDeleted?: true;
}

/** One message of a round to an acceptor, and what came of it. Ballots are as acceptors store them. */
export interface WatchedMessage {
  readonly phase: 'prepare' | 'accept';
  readonly acceptor: string;
  /** By the proposer's clock, with a fraction. */
  readonly sentAtMs: number;
  /** Undefined: nothing has come back yet. */
  readonly tookMs?: number;
  /** `ok`: promised or accepted. `conflict`: `ballot` stood in the way. `failed`: no answer, for `reason`. */
  readonly outcome?: 'ok' | 'conflict' | 'failed';
  /** Of a promise: what the acceptor has accepted last, "" if nothing. */
  readonly ballot?: string;
  /** Of a promise; undefined if the register is empty. */
  readonly value?: WatchedValue;
  readonly reason?: string;
}

/** One ballot of one key. */
export interface WatchedRound {
  readonly ballot: string;
  /** Of the configuration in which it began. */
  readonly prepare: QuorumSet;
  readonly accept: QuorumSet;
  /** In the order in which they were sent. */
  readonly messages: readonly WatchedMessage[];
  /** What it asked to accept, once it did; undefined if that was the empty register. */
  readonly value?: WatchedValue;
  /** The ballot whose promise it asked for together with that. */
  readonly next?: string;
}

/** What a proposer has seen of the key that it watches. */
export interface WatchedKey {
  readonly proposer: number;
  readonly key: string;
  /** When it stops to watch unless it is asked again. */
  readonly endsInMs: number;
  /** The last ones, the latest last. */
  readonly rounds: readonly WatchedRound[];
}
