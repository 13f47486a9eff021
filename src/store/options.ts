import type { Acceptor } from '../protocol/acceptor.js';
import type { Configuration } from '../protocol/configuration.js';
import type { ProposerEvents } from '../protocol/events.js';
import type { Time } from '../protocol/time.js';
import type { Beats, Introduction } from './greeting.js';
import type { StoreLimits } from './limits.js';

/** What a proposer must not forget. `stateFolder` keeps it on disk; `memoryState` is for tests and for one process that has no crash to fear. */
export interface ProposerState {
  /** The last one that was saved; the empty one at the first start. */
  readonly configuration: Configuration;
  /** Higher than at any start before, and on disk already. */
  readonly incarnation: number;
  /** Without it what acceptors counted is remembered until the process ends. */
  readonly beats?: Beats;
  /** Returns once the configuration survives a crash. Throws if it cannot be written; the one before then stays. */
  saveConfiguration(configuration: Configuration): void;
  close?(): Promise<void> | void;
}

/** The acceptors that a store asks, by their logical names. */
export interface Acceptors {
  /** Finds the acceptor of a name, and of the identity that the configuration has for it; called for every message. */
  get(name: string, identity?: string): Acceptor;
  /** Throws for a text that can be no acceptor's name. */
  assertName?(name: string): void;
  /** Tells on whose behalf they are asked; called once, before anything else. */
  introduce?(introduction: Introduction): void;
  /** Opens what a configuration needs before it takes effect. Waits a bounded time: an acceptor may be down. */
  connect?(configuration: Configuration): Promise<void>;
  /** A configuration is in force: closes what it does not need. */
  retain?(configuration: Configuration): void;
  close?(): Promise<void> | void;
}

export type OperationKind = 'read' | 'write' | 'rescan';

/** What a store tells the program that it runs in, to count or to log. Each is called synchronously and must not throw. */
export interface StoreEvents extends ProposerEvents {
  /** An operation has begun; the promise is what its caller gets. */
  onOperation?(kind: OperationKind, running: Promise<unknown>): void;
  /** A round that sent nothing is about to be repeated. */
  onRetry?(): void;
  /** The resolution of a write whose accept failed is over. */
  onResolved?(isFound: boolean): void;
  /** An acceptor knows that this proposer had a later configuration than this one, which is given up. */
  onOldState?(configuration: Configuration, seenEra: number): void;
}

export interface StoreOptions {
  /** The number of this proposer, unique among the proposers of the cluster: an integer from 1 to 2^53 - 1. */
  readonly id: number;
  readonly state: ProposerState;
  readonly acceptors: Acceptors;
  readonly limits?: Partial<StoreLimits>;
  readonly events?: StoreEvents;
  /** The system's, unless another one is given: a simulation's, say. */
  readonly time?: Time;
  /** From 0 to 1, for the jitter of pauses; `Math.random` unless another one is given. */
  readonly random?: () => number;
  /** Makes ids that are unique in the cluster for all time; of proposer, incarnation and a count unless it is given. */
  readonly nextOperationId?: () => string;
}

export interface OperationOptions {
  /** False: a round of the protocol as it is, without queue, retry or quorum read; an operation that collides is refused at once. */
  readonly wait?: boolean;
  /** Ends the wait for a turn; the operation is then not applied and rejects with the signal's reason. See `KeyQueue.run`. */
  readonly signal?: AbortSignal | undefined;
}

/** @throws RangeError for numbers that no ballot can have: what an acceptor has promised to such a one it can compare with nothing, and nobody could use the key again */
export function assertInBallots(id: number, incarnation: number): void {
  if (!Number.isSafeInteger(id) || id < 1) throw new RangeError(`the number of a proposer is an integer from 1 to 2^53 - 1, not ${id}`);
  if (Number.isSafeInteger(incarnation) && incarnation >= 0) return;
  throw new RangeError(`the incarnation of a proposer is an integer from 0 to 2^53 - 1, not ${incarnation}`);
}
