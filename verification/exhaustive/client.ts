import type { Store } from '../../src/store/store.js';
import { ClusterError } from '../../src/protocol/errors.js';
import { type ClientOutcome, type Request, stateToldTo } from '../checkers/history.js';
import { asWrite, outcomeOf, refusalOf } from '../simulation/store-operation.js';
import { KEY } from './key.js';
import type { Kind } from './scenario.js';

/** An operation as its client sees it. */
export interface Performed {
  readonly request: Request;
  readonly outcome?: ClientOutcome;
}

/** What a client asks for next. It writes over what it knows, and never the same value twice. @param client counted from 1 */
export function nextRequest(kind: Kind, client: number, performed: readonly Performed[]): Request {
  const val = `v${client}.${performed.length + 1}`;
  switch (kind) {
    case 'cas':
      return { kind: 'cas', ...lastSeen(performed), val };
    case 'create':
      return { kind: 'cas', ver: 0, val, onto: null };
    case 'append':
      return { kind: 'append', val };
    case 'named':
      return { kind: 'append', val: 'named', name: 'N' };
    case 'delete':
      return { kind: 'delete' };
    default:
      return { kind: 'get' };
  }
}

/** What a compare-and-set is made from, by what its client was told last. */
function lastSeen(performed: readonly Performed[]): { ver: number; onto: string | null } {
  let known: { ver: number; onto: string | null } = { ver: 0, onto: null };
  for (const { request, outcome } of performed) {
    const told = outcome && stateToldTo({ request, returned: { outcome } });
    if (told?.val !== undefined) known = { ver: told.val === null ? 0 : told.ver, onto: told.val };
  }
  return known;
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
