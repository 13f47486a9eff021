import type { Versioned } from '../../src/store/compare-and-set.js';
import type { Accepted, AcceptReply, PrepareReply, Value } from '../../src/protocol/acceptor.js';
import { type Ballot, compareBallots, formatBallot, ZERO_BALLOT } from '../../src/protocol/ballot.js';
import type { Configuration } from '../../src/protocol/configuration.js';
import { ClusterError, CommitError } from '../../src/protocol/errors.js';
import type { QuorumSet } from '../../src/protocol/quorum.js';

export function prepareText(key: string, ballot: Ballot): string {
  return `prepare ${key} ${formatBallot(ballot)}`;
}

export function promiseText(reply: PrepareReply): string {
  return reply.ok ? `promised; holds ${acceptedText(reply)}` : refusalText(reply.conflict);
}

export function acceptText(key: string, ballot: Ballot, value: Value, next: Ballot): string {
  return `accept ${key} ${formatBallot(ballot)} ${valueText(value)}, promise ${formatBallot(next)}`;
}

export function confirmationText(reply: AcceptReply): string {
  return reply.ok ? 'accepted' : refusalText(reply.conflict);
}

export function acceptedText({ ballot, value }: Accepted): string {
  return compareBallots(ballot, ZERO_BALLOT) === 0 ? 'nothing' : `${formatBallot(ballot)} ${valueText(value)}`;
}

/** The version, the value, and in brackets the operations that wrote it, the one before it, and so on. */
export function valueText(value: Value): string {
  if (value === null) return 'the empty register';
  const { ver, val, ops } = JSON.parse(value) as Versioned & { ops: string[] };
  return `version ${ver} ${JSON.stringify(val)} (${ops.join(' ')})`;
}

/** The state of a key as a client sees it. */
export function stateText({ ver, val }: Versioned): string {
  return ver === 0 ? 'does not exist, version 0' : `version ${ver}, ${JSON.stringify(val)}`;
}

/** How an operation failed, and with it what is certain. Throws what is no error of the cluster. */
export function failureText(error: unknown): string {
  if (!(error instanceof ClusterError)) throw error;
  const verdict = error instanceof CommitError ? 'unknown' : 'not done';
  return `${verdict} (${error.code}): ${error.message}`;
}

export function configurationText({ era, prepare, accept }: Configuration): string {
  return `era ${era}, prepare ${setText(prepare)}, accept ${setText(accept)}`;
}

/** What a new configuration changes. */
export function changeText(before: Configuration, after: Configuration): string {
  const changed = (['prepare', 'accept'] as const).filter((phase) => setText(before[phase]) !== setText(after[phase]));
  const sets = changed.map((phase) => `${phase} ${setText(after[phase])}`).join(', ');
  return `era ${after.era}, ${sets || 'the sets stay'}`;
}

function setText({ nodes, quorum }: QuorumSet): string {
  return nodes.length === 0 ? 'nobody' : `${quorum} of ${nodes.join(' ')}`;
}

function refusalText(conflict: Ballot): string {
  return `refused: ${formatBallot(conflict)} stands in the way`;
}
