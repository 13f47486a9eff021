/** What went wrong, by the name that clients see. */
export type ErrorCode = keyof typeof HTTP_STATUS;

/** The one table from error to HTTP status. 503: certainly not applied. 504: unknown. */
export const HTTP_STATUS = {
  BadRequest: 400,
  Unauthorized: 401,
  NotFound: 404,
  KeyNotFound: 404,
  MethodNotAllowed: 405,
  RequestTimeout: 408,
  VersionMismatch: 409,
  EraMismatch: 409,
  PayloadTooLarge: 413,
  HeadersTooLarge: 431,
  InternalError: 500,
  StorageError: 500,
  ConcurrentRequestError: 503,
  NotConfigured: 503,
  PrepareError: 503,
  StaleConfiguration: 503,
  CommitError: 504,
} as const;

/** Every error that the cluster answers with. `details` go into the answer beside the code and the message. */
export abstract class ClusterError extends Error {
  abstract readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.details = details;
  }

  get status(): number {
    return HTTP_STATUS[this.code];
  }
}

/** No prepare quorum promised, or nothing was sent that could be chosen: the change is certainly not applied. */
export class PrepareError extends ClusterError {
  readonly code = 'PrepareError';
}

/** This proposer runs another round for the key, and the request did not want to wait. */
export class ConcurrentRequestError extends ClusterError {
  readonly code = 'ConcurrentRequestError';
}

/** The prepare or the accept set is empty. */
export class NotConfigured extends ClusterError {
  readonly code = 'NotConfigured';
}

/** An acceptor has seen an era that this proposer's configuration does not reach. */
export class StaleConfiguration extends ClusterError {
  readonly code = 'StaleConfiguration';
}

/** An accept was sent and no accept quorum confirmed it: it may still be chosen later, or never. */
export class CommitError extends ClusterError {
  readonly code = 'CommitError';
}

/** The key is not at the version that the compare-and-set expected; `details` hold the present `ver` and `val`. */
export class VersionMismatch extends ClusterError {
  readonly code = 'VersionMismatch';
}

/** The key does not exist: version 0. */
export class KeyNotFound extends ClusterError {
  readonly code = 'KeyNotFound';
}

/** The configuration is of another era than the one the change was made from; `details` hold the present one. */
export class EraMismatch extends ClusterError {
  readonly code = 'EraMismatch';
}

export class BadRequest extends ClusterError {
  readonly code = 'BadRequest';
}

/** No token came along, or a wrong one. */
export class Unauthorized extends ClusterError {
  readonly code = 'Unauthorized';
}

export class NotFound extends ClusterError {
  readonly code = 'NotFound';
}

export class MethodNotAllowed extends ClusterError {
  readonly code = 'MethodNotAllowed';
}

export class PayloadTooLarge extends ClusterError {
  readonly code = 'PayloadTooLarge';
}

/** A fault of ours. The answer holds no inside detail; the log does. */
export class InternalError extends ClusterError {
  readonly code = 'InternalError';
}

/** The state folder could not be written: the disk is full or read-only. */
export class StorageError extends ClusterError {
  readonly code = 'StorageError';
}
