import type { Versioned } from '../../src/store/versioned.js';
import type { Configuration } from '../../src/protocol/configuration.js';
import { ClusterError, CommitError } from '../../src/protocol/errors.js';
import { setText } from '../../node-control/safety/guard.js';

/** The state of a key as a client sees it. */
export function stateText({ ver, val, deletedVer }: Versioned): string {
  if (deletedVer !== undefined) return `does not exist, deleted as version ${deletedVer}`;
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
