import type { Configuration } from '../protocol/configuration.js';
import { NotApplied, NotRun } from '../protocol/errors.js';
import type { QuorumSet } from '../protocol/quorum.js';

/** The `details` of an error with which an acceptor says that it has no memory for what it was told. */
export const FULL = { isFull: true } as const;

/** So many acceptors have no memory left that no quorum can store anything; what frees memory they do. Not applied. */
export class StorageFull extends NotApplied {
  readonly code = 'StorageFull';
}

/** Whether an acceptor had no memory for what it was told: it may run what takes none all the same. */
export function isForWantOfRoom(error: Error): boolean {
  return fullAmong(error) > 0;
}

/** The same error; a {@link StorageFull} if the acceptors that are full are enough to have caused it. */
export function fullIfSo(error: Error, { prepare, accept }: Configuration): Error {
  const full = fullAmong(error);
  if (full === 0 || ![prepare, accept].some((set) => full >= fewestInTheWay(set))) return error;
  const advice = 'Delete keys, which is possible still, and collect them, or give the acceptors more memory';
  return new StorageFull(`${error.message}. ${advice}`, {}, error);
}

/** How many acceptors have said that they are full, of an error after which nothing was applied. */
function fullAmong(error: Error): number {
  if (!(error instanceof NotApplied && error.cause instanceof AggregateError)) return 0;
  return error.cause.errors.filter(isFull).length;
}

/** Whether an acceptor says by this that it has no memory for what it was told. */
export function isFull(reason: unknown): boolean {
  return reason instanceof NotRun && reason.details['isFull'] === true;
}

function fewestInTheWay({ nodes, quorum }: QuorumSet): number {
  return nodes.length - quorum + 1;
}
