import { type ClusterError, PrepareError } from '../protocol/errors.js';
import type { Refusal } from './client.js';
import { HTTP_STATUS, isErrorCode } from './status.js';

/** What a client is told of an error. */
export function refusalOf(error: ClusterError): Refusal {
  const { code, message, details } = error;
  if (!isErrorCode(code)) return refusalOf(new PrepareError(message, details, error));
  return { ok: false, status: HTTP_STATUS[code], code, message, body: { code, message, ...details } };
}
