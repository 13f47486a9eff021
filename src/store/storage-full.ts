import type { Configuration } from '../protocol/configuration.js';
import { NotApplied, NotRun } from '../protocol/errors.js';
import type { QuorumSet } from '../protocol/quorum.js';

/** The `details` of an error with which an acceptor says that it has no memory for what it was told. */
export const FULL = { isFull: true } as const;

/** So many acceptors have no memory left that no quorum can store anything; what frees memory they do. Not applied. */
export class StorageFull extends NotApplied {
  readonly code = 'StorageFull';
}

/** The same error; a {@link StorageFull} if the acceptors that are full are enough to have caused it. */
export function fullIfSo(error: Error, { prepare, accept }: Configuration): Error {
  if (!(error instanceof NotApplied && error.cause instanceof AggregateError)) return error;
  const full = error.cause.errors.filter((reason) => reason instanceof NotRun && reason.details['isFull'] === true).length;
  if (![prepare, accept].some((set) => full >= fewestInTheWay(set))) return error;
  const advice = 'Delete keys, which is possible still, and collect them (run-control.sh collect), or give the acceptors more memory';
  return new StorageFull(`${error.message}. ${advice}`, {}, error);
}

function fewestInTheWay({ nodes, quorum }: QuorumSet): number {
  return nodes.length - quorum + 1;
}
