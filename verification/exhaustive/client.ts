import type { Store } from '../../src/store/store.js';
import { ClusterError } from '../../src/protocol/errors.js';
import type { ClientOutcome, Request } from '../checkers/history.js';
import { asWrite, outcomeOf, refusalOf } from '../simulation/store-operation.js';
import { KEY } from './messages.js';
import type { Kind } from './scenario.js';

/** An operation as its client sees it. */
export interface Performed {
  readonly request: Request;
  readonly outcome?: ClientOutcome;
}

/**
 * What a client asks for next. It writes over what it knows, and never the same value twice.
 *
 * @param client counted from 1
 */
export function nextRequest(kind: Kind, client: number, performed: readonly Performed[]): Request {
  if (kind !== 'cas') return { kind: 'get' };
  let known: { ver: number; val: string | null } = { ver: 0, val: null };
  for (const { request, outcome } of performed) {
    if (outcome?.kind === 'state') known = outcome;
    if (outcome?.kind === 'written' && request.kind === 'cas') known = { ver: outcome.ver, val: request.val };
  }
  return { kind: 'cas', ver: known.ver, val: `v${client}.${performed.length + 1}`, onto: known.val };
}

/** Rejects only where the product throws what it should not. */
export async function perform(store: Store, kind: Kind, request: Request): Promise<ClientOutcome> {
  try {
    if (request.kind === 'get') return outcomeOf(request, await store.get(KEY, { wait: kind === 'get' }));
    return outcomeOf(request, await store.write(KEY, asWrite(request)));
  } catch (error) {
    if (error instanceof ClusterError) return refusalOf(error);
    throw error;
  }
}
