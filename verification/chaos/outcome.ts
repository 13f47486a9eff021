import type { Versioned } from '../../src/store/versioned.js';
import { NOT_APPLIED } from '../../client/writer.js';
import type { Answer } from '../../src/http/client.js';
import type { ClientOutcome, Request } from '../checkers/history.js';
import { ImpossibleAnswer } from './impossible-answer.js';
import { textOf } from './key-kinds.js';
import type { Asked } from './next-write.js';

/**
 * What an answer says of a request to the checkers.
 *
 * @param answer undefined where none came, or none in time
 * @throws ImpossibleAnswer
 */
export function outcomeOf({ key, request }: Asked<Request>, answer: Answer<Versioned> | undefined): ClientOutcome {
  if (answer === undefined) return { kind: 'unknown' };
  const heldAt = ({ ver, val, deletedVer }: Partial<Versioned>): { ver: number; val: string | null } => {
    if (ver === 0 && (val === null || val === undefined)) return { ver: deletedVer === undefined ? 0 : versionOf(deletedVer), val: null };
    return { ver: versionOf(ver), val: textOf(key, val) };
  };
  if (!answer.ok) {
    const { code, body } = answer;
    const isMissed = code === 'KeyNotFound' ? request.kind === 'get' || request.kind === 'delete' : code === 'VersionMismatch';
    if (isMissed && (code === 'KeyNotFound' || body['val'] !== undefined)) return { kind: 'state', ...heldAt(body) };
    // A key is changed by what suits its values only, and a name stands for one request.
    if (isMissed || code === 'ChangeRefused' || code === 'NameReused') throw new ImpossibleAnswer(`${key.key}: ${JSON.stringify(body)}`);
    const isRefused = request.kind === 'get' || code === 'OutcomeForgotten' || NOT_APPLIED.has(code);
    return { kind: isRefused ? 'refused' : 'unknown' };
  }
  const { body } = answer;
  if (request.kind === 'get') return { kind: 'state', ...heldAt(body) };
  // A long result that is no longer kept.
  if (body.val === undefined) return { kind: 'written', ver: versionOf(body.ver) };
  const told = heldAt(body);
  if (request.kind !== 'cas') return { kind: 'written', ...told };
  if ((request.ver > 0 && told.ver !== request.ver + 1) || told.val !== request.val) {
    throw new ImpossibleAnswer(`asked for version ${request.ver + 1} = ${request.val}, acknowledged: ${JSON.stringify(body)}`);
  }
  return { kind: 'written', ver: told.ver };
}

function versionOf(ver: unknown): number {
  if (Number.isSafeInteger(ver) && Number(ver) > 0) return Number(ver);
  throw new ImpossibleAnswer(`not a version of these keys: ${JSON.stringify(ver)}`);
}
