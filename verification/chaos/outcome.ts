import type { Versioned } from '../../src/store/versioned.js';
import { NOT_APPLIED } from '../../client/writer.js';
import type { Answer } from '../../src/http/client.js';
import type { ClientOutcome, Request } from '../checkers/history.js';

/** What the clients ask for. */
export type Asked = Extract<Request, { readonly kind: 'get' | 'cas' }>;

/** A proposer said something that no proposer says: not the version that was asked for, or a value of nobody's. */
export class ImpossibleAnswer extends Error {}

/**
 * What an answer says of a request to the checkers.
 *
 * @param answer undefined where none came, or none in time
 * @throws ImpossibleAnswer
 */
export function outcomeOf(request: Asked, answer: Answer<Versioned> | undefined): ClientOutcome {
  if (answer === undefined) return { kind: 'unknown' };
  if (!answer.ok) {
    if (answer.code === 'VersionMismatch' && request.kind === 'cas') return state(answer.body['ver'], answer.body['val']);
    if (answer.code === 'KeyNotFound' && request.kind === 'get') return { kind: 'state', ver: 0, val: null };
    return request.kind === 'get' || NOT_APPLIED.has(answer.code) ? { kind: 'refused' } : { kind: 'unknown' };
  }
  const { ver, val } = answer.body;
  if (request.kind === 'get') return state(ver, val);
  if (ver !== request.ver + 1 || val !== request.val) {
    throw new ImpossibleAnswer(`asked for version ${request.ver + 1} = ${request.val}, acknowledged: ${JSON.stringify(answer.body)}`);
  }
  return { kind: 'written', ver };
}

function state(ver: unknown, val: unknown): ClientOutcome {
  const isNothing = ver === 0 && val === null;
  if (!isNothing && !(Number.isSafeInteger(ver) && Number(ver) > 0 && typeof val === 'string')) {
    throw new ImpossibleAnswer(`not a state of these keys: version ${JSON.stringify(ver)}, value ${JSON.stringify(val)}`);
  }
  return { kind: 'state', ver: Number(ver), val: isNothing ? null : String(val) };
}
