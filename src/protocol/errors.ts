import type { Change } from './change.js';

/** Every error that a store reports. `code` is stable, for programs; `details` are what an answer holds beside the code and the message. */
export abstract class ClusterError extends Error {
  abstract readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;

  /** @param cause what led to it, if that was an error of its own */
  constructor(message: string, details: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.details = details;
  }
}

/** Nothing was sent that could be chosen: the change is certainly not applied, and never will be. */
export abstract class NotApplied extends ClusterError {}

/** No prepare quorum promised, no acceptor ran the accept, or the request's turn did not come in time. */
export class PrepareError extends NotApplied {
  readonly code = 'PrepareError';
}

/** This proposer runs another round for the key, and the request did not want to wait. */
export class ConcurrentRequestError extends NotApplied {
  readonly code = 'ConcurrentRequestError';
}

/** The prepare set or the accept set is empty. */
export class NotConfigured extends NotApplied {
  readonly code = 'NotConfigured';
}

/** An acceptor has seen an era that this proposer's configuration does not reach. */
export class StaleConfiguration extends NotApplied {
  readonly code = 'StaleConfiguration';
}

/** An accept was sent and no accept quorum confirmed it: it may still be chosen later, or never. */
export class CommitError extends ClusterError {
  readonly code = 'CommitError';
  /** What the round would have done to the register, if it is known. */
  readonly change: Change | undefined;

  constructor(message: string, { change, cause }: { readonly change?: Change; readonly cause?: unknown } = {}) {
    super(message, {}, cause);
    this.change = change;
  }
}

/**
 * The acceptor did not run the message, and never will: it was not sent, or was refused before it changed anything. For every other error of an
 * acceptor it is unknown whether it acted.
 */
export abstract class NotRun extends ClusterError {}

/**
 * Another acceptor answers in place of the one that is meant: it lost its data, was wiped, or is another server at the same address. It has
 * forgotten promises, so it takes part in nothing.
 */
export class StrangerError extends NotRun {
  readonly code = 'Stranger';
}

/** As this acceptor is set up, it would lose promises or values: it takes part in nothing. The message says why. */
export class UnfitAcceptor extends NotRun {
  readonly code = 'UnfitAcceptor';
}

/** The acceptor did not answer in time. */
export class TimedOut extends ClusterError {
  readonly code = 'TimedOut';
}
