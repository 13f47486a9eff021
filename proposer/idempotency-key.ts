import { createHash } from 'node:crypto';
import type { Request } from 'express';
import { BadRequest } from '../src/store/errors.js';
import type { OperationName } from '../src/store/write.js';

const NAME_CHARACTERS_MAX = 64;
/** A text of structured fields (RFC 9651, section 3.3.3): printable ASCII in quotes, in which \ stands before a quote and before itself. */
const STRUCTURED_TEXT = /^\s*"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"\s*$/;
/** Enough that two requests of one client never share it by chance. */
const PRINT_CHARACTERS = 16;

/**
 * Reads the header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): the client's name for what it asks.
 * @param what identifies the request: the same for the same one, another for another one
 * @param since as the client sent it
 * @throws BadRequest it is no such text
 */
export function operationName(request: Request, what: readonly unknown[], since: unknown): OperationName | undefined {
  const header = request.headers['idempotency-key'];
  if (header === undefined) {
    if (since === undefined) return undefined;
    throw new BadRequest('since is of use only with the header Idempotency-Key');
  }
  const name = STRUCTURED_TEXT.exec(String(header))?.[1]?.replaceAll(/\\(.)/g, '$1');
  if (name === undefined || name === '' || name.length > NAME_CHARACTERS_MAX) {
    throw new BadRequest(`Idempotency-Key must be 1 to ${NAME_CHARACTERS_MAX} printable characters in quotes: Idempotency-Key: "8e03978e"`);
  }
  const print = createHash('sha256').update(JSON.stringify(what)).digest('base64url').slice(0, PRINT_CHARACTERS);
  return { name, print, ...(since !== undefined && { since: asVersion(since, 'since') }) };
}

/** @throws BadRequest it is no version */
export function asVersion(ver: unknown, name: string): number {
  if (Number.isSafeInteger(ver) && Number(ver) >= 0 && Number(ver) < Number.MAX_SAFE_INTEGER) return Number(ver);
  throw new BadRequest(`${name} must be an integer from 0 (the key does not exist yet) to 2^53 - 2`);
}
