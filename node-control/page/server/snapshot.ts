import type { Floor } from '../../../src/protocol/acceptor.js';
import type { QuorumSet } from '../../../src/protocol/quorum.js';
import type { ButtonsOffer } from './buttons.js';

/**
 * `gone`: nobody is there; `hangs`: connections are taken, and nothing is answered. `stranger`: at its address answers one that is not the acceptor
 * of the configurations, or has lost its data. `unfit`: as it is set up it could forget what it is told, and is not used. `held`:
 * `acceptor/start.sh` does not start it again before somebody says that its disk is sound. `loading`: it was started, and still reads its file.
 */
export type NodeState = 'healthy' | 'slow' | 'gone' | 'hangs' | 'stranger' | 'unfit' | 'held' | 'loading';

/** What a proposer did in the last second. */
export interface Rates {
  /** That were answered with a value. */
  readonly reads: number;
  /** That took effect. */
  readonly writes: number;
  /** That were certainly not applied: no quorum answered, say. */
  readonly refused: number;
  /** Refusals by acceptors that had seen a higher ballot. */
  readonly conflicts: number;
  readonly retries: number;
  /** Writes whose outcome could not be found out. */
  readonly unknown: number;
  /** Times that a quorum was asked for each operation. Undefined without operations, as the next two. */
  readonly roundTrips?: number | undefined;
  readonly p50Ms?: number | undefined;
  readonly p99Ms?: number | undefined;
}

export interface ProposerView {
  readonly name: string;
  readonly state: NodeState;
  /** The last that it told. */
  readonly sets?: { readonly era: number; readonly prepare: QuorumSet; readonly accept: QuorumSet } | undefined;
  readonly rates?: Rates | undefined;
}

export interface AcceptorView {
  readonly name: string;
  readonly state: NodeState;
  /** Why it is unfit, and the command that mends it; why it is held, and what to do; of a stranger whose disk went back, since when; what one waits for that loads. */
  readonly remark?: string | undefined;
  readonly keys?: number | undefined;
  /** If anything was collected. */
  readonly floor?: Floor | undefined;
}

/** One second of all clients together. */
export interface FunnelSecond {
  readonly atMs: number;
  readonly attempts: number;
  readonly reads: number;
  readonly writes: number;
  readonly errors: number;
}

/** Something that happened to the cluster. */
export interface Mark {
  /** Counts up from 1 since the control node was started. */
  readonly id: number;
  readonly atMs: number;
  readonly kind: 'step' | 'rescan' | 'collection' | 'loss' | 'return' | 'wipe' | 'unseen';
  readonly text: string;
  /** What a step is for, in words. */
  readonly meaning?: string | undefined;
}

export interface Narration {
  /** What the present configuration means. */
  readonly now: string;
  /** Which keys have their newest value on no accept quorum of the present sets, if there are any and it is known. */
  readonly unspread?: string | undefined;
  /** What is to be done next, and what for, if anything is. */
  readonly next?: string | undefined;
  /** As typed in node-control/. The control node would do the first one now. */
  readonly commands: readonly string[];
}

/** All that the page shows of one second. */
export interface Snapshot {
  readonly atMs: number;
  /** Whether it is the first that this page gets: its funnel is then that of the last two minutes. */
  readonly isFirst?: true;
  readonly proposers: readonly ProposerView[];
  readonly acceptors: readonly AcceptorView[];
  readonly isClientRunning: boolean;
  readonly narration: Narration;
  /** Where the operator wants them. */
  readonly buttons?: ButtonsOffer;
  /** The last that happened, the latest last. */
  readonly marks: readonly Mark[];
  /** The seconds since the snapshot before; in the first one that a page gets, those of the last two minutes. */
  readonly funnel: readonly FunnelSecond[];
}

/** One register on one acceptor. */
export interface RegisterView {
  readonly acceptor: string;
  /** If there is nothing to look at. */
  readonly state?: 'gone' | 'stranger' | 'loading';
  /** If anything was collected: what holds for the key where the acceptor has no register of it. */
  readonly floor?: Floor;
  readonly register?: {
    readonly promise: string;
    readonly ballot: string;
    /** JSON, cut off if it is long. */
    readonly value: string;
    readonly version: number;
    /** Whether it is a tombstone: of the version of the deletion, and without a value. */
    readonly isDeleted?: true;
    /**
     * `chosen`: on an accept quorum, and none above it is; `earlier`: the same, by sets that values may rest on still; `older`: below that;
     * `minority`: on no quorum; `unknown`: an acceptor that does not answer could make it one.
     */
    readonly standing: 'chosen' | 'earlier' | 'older' | 'minority' | 'unknown';
  };
}
