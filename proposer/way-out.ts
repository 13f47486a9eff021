import { type ClusterError, StrangerError } from '../src/protocol/errors.js';

/** Gives a proposer the sets of another one. */
export const COPY = 'run-control.sh copy OTHER-PROPOSER THIS-PROPOSER';
export const STATUS = 'run-control.sh status';

/** What to type where a request fails with this error, which says why: a library knows no commands. Undefined where none mends it. */
export function wayOutOf({ code, cause }: ClusterError): string | undefined {
  if (code === 'OldState') return `to give it those: ${COPY}`;
  if (code === 'StorageFull') return 'to collect them: run-control.sh collect';
  const isForStrangers = cause instanceof AggregateError && cause.errors.some((reason) => reason instanceof StrangerError);
  return isForStrangers ? `see ${STATUS}` : undefined;
}
