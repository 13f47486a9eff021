import type { ClientOutcome, RecordedOperation, Request, ToldState } from './history.js';

/** How many states are listed before the rest is only counted. */
const STATES_LISTED = 6;

/** Who did what, when, and what it was answered: the first half of a sentence. */
export function describeOperation({ client, request, invokedAt, invokedAtMs, returned }: RecordedOperation): string {
  const from = `${invokedAtMs} ms (event ${invokedAt})`;
  const what = describeRequest(request);
  if (!returned) return `${client}'s ${what}, from ${from}, was never answered`;
  const answer = describeOutcome(request, returned.outcome);
  return `${client}'s ${what}, from ${from} to ${returned.atMs} ms (event ${returned.at}), was answered "${answer}"`;
}

function describeRequest(request: Request): string {
  if (request.kind === 'get') return 'get';
  const name = request.name === undefined ? '' : ` (named ${request.name})`;
  if (request.kind === 'delete') return `delete${request.ver === undefined ? '' : ` of version ${request.ver}`}${name}`;
  const word = JSON.stringify(request.val);
  const over = request.ver === undefined ? '' : ` over version ${request.ver}`;
  return `${request.kind === 'cas' ? 'write' : request.kind} of ${word}${over}${name}`;
}

/** Where a write says which version it makes, that it was written says all. */
function describeOutcome(request: Request, outcome: ClientOutcome): string {
  if (outcome.kind === 'state') return describeState(outcome);
  if (outcome.kind !== 'written' || (request.kind === 'cas' && outcome.ver === request.ver + 1)) return outcome.kind;
  return `written, ${describeState({ ver: outcome.ver, val: outcome.val })}`;
}

export function describeState({ ver, val }: ToldState): string {
  if (ver === 0 && val === null) return 'version 0';
  if (val === null) return `version ${ver}, deleted`;
  return val === undefined ? `version ${ver}` : `version ${ver} ${JSON.stringify(val)}`;
}

/** @param states in the order of their versions */
export function describeStates(states: readonly ToldState[]): string {
  const listed = states.slice(0, STATES_LISTED).map(describeState);
  const last = states.length > STATES_LISTED ? `${states.length - STATES_LISTED} more` : (listed.pop() ?? 'none');
  return listed.length === 0 ? last : `${listed.join(', ')} or ${last}`;
}
