import { CommitError } from '../../src/protocol/errors.js';
import { KeyNotFound, VersionMismatch } from '../../src/store/errors.js';
import type { Versioned } from '../../src/store/versioned.js';
import { DELETED, type OperationName, type Write } from '../../src/store/write.js';
import type { ClientOutcome, Request, WriteRequest } from '../checkers/history.js';

/**
 * What a store is asked for.
 * @param since the version that the client knew when it sent this under its name for the first time
 */
export function asWrite(request: WriteRequest, since = 0): Write {
  const named = request.name === undefined ? {} : { name: nameOf(request, request.name, since) };
  const condition = request.ver === undefined ? {} : { ver: request.ver };
  switch (request.kind) {
    case 'cas':
    case 'set':
      return { val: request.val, ...condition, ...named };
    case 'append':
      return { change: (val, exists) => (exists ? `${String(val)} ${request.val}` : request.val), ...condition, ...named };
    case 'add':
      return { change: (val, exists) => String(Number(exists ? val : 0) + Number(request.val)), ...condition, ...named };
    case 'delete':
      return { val: DELETED, ...condition, ...named };
  }
}

function nameOf(request: WriteRequest, name: string, since: number): OperationName {
  const parts = [request.kind, 'ver' in request ? request.ver : '', 'val' in request ? request.val : ''];
  return { name, print: parts.join(' '), since };
}

/** What a store's answer tells. */
export function outcomeOf(request: Request, answer: Versioned): ClientOutcome {
  return request.kind === 'get' ? stateOf(answer) : { kind: 'written', ...heldAt(answer) };
}

/** As HTTP has it: what the key holds is told with 409 and 404, 504 is unknown, all else was certainly not applied. */
export function refusalOf(error: unknown): ClientOutcome {
  if (error instanceof VersionMismatch || error instanceof KeyNotFound)
    return stateOf({ val: null, ...error.details } as unknown as Versioned);
  if (error instanceof CommitError) return { kind: 'unknown' };
  return { kind: 'refused' };
}

function stateOf(answer: Versioned): ClientOutcome {
  const { ver, val = null } = heldAt(answer);
  return { kind: 'state', ver, val };
}

/** The version, of a deleted key that of its deletion. */
function heldAt({ ver, val, deletedVer }: Versioned): { ver: number; val?: string | null } {
  return val === undefined ? { ver } : { ver: deletedVer ?? ver, val: val as string | null };
}
