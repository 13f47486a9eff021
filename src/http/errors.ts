import { ClusterError } from '../protocol/errors.js';

/** No token came along, or a wrong one. */
export class Unauthorized extends ClusterError {
  readonly code = 'Unauthorized';
}

/** Nothing is at this path. */
export class NotFound extends ClusterError {
  readonly code = 'NotFound';
}

/** The path does not take this method. */
export class MethodNotAllowed extends ClusterError {
  readonly code = 'MethodNotAllowed';
}

/** The body, or the value in it, is larger than a proposer takes. */
export class PayloadTooLarge extends ClusterError {
  readonly code = 'PayloadTooLarge';
}

/** A fault of ours. The answer holds no inside detail; the log does. */
export class InternalError extends ClusterError {
  readonly code = 'InternalError';
}
