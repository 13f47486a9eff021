import type { RecordedOperation, ClientOutcome } from './history.js';
import type { State } from './state.js';

/** How many states are listed before the rest is only counted. */
const STATES_LISTED = 6;

/** Who did what, when, and what it was answered: the first half of a sentence. */
export function describeOperation({ client, request, invokedAt, invokedAtMs, returned }: RecordedOperation): string {
  const what = request.kind === 'get' ? 'get' : `write of ${JSON.stringify(request.val)} over version ${request.ver}`;
  const from = `${invokedAtMs} ms (event ${invokedAt})`;
  if (!returned) return `${client}'s ${what}, from ${from}, was never answered`;
  return `${client}'s ${what}, from ${from} to ${returned.atMs} ms (event ${returned.at}), was answered "${describeOutcome(returned.outcome)}"`;
}

function describeOutcome(outcome: ClientOutcome): string {
  return outcome.kind === 'state' ? describeState(outcome) : outcome.kind;
}

export function describeState({ ver, val }: State): string {
  return ver === 0 && val === null ? 'version 0' : `version ${ver} ${JSON.stringify(val)}`;
}

/** @param states in the order of their versions */
export function describeStates(states: readonly State[]): string {
  const listed = states.slice(0, STATES_LISTED).map(describeState);
  const last = states.length > STATES_LISTED ? `${states.length - STATES_LISTED} more` : (listed.pop() ?? 'none');
  return listed.length === 0 ? last : `${listed.join(', ')} or ${last}`;
}
