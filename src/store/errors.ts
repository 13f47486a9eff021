import { ClusterError, NotApplied } from '../protocol/errors.js';

/** The key is not at the version that the compare-and-set expected; `details` hold the present `ver` and `val`. */
export class VersionMismatch extends ClusterError {
  readonly code = 'VersionMismatch';
}

/** The configuration is of another era than the one the change was made from; `details` hold the present one. */
export class EraMismatch extends ClusterError {
  readonly code = 'EraMismatch';
}

/** The caller asked for something that cannot be; the message says what it should be. */
export class BadRequest extends ClusterError {
  readonly code = 'BadRequest';
}

/** What this proposer must not forget could not be written: the disk is full or read-only. */
export class StorageError extends ClusterError {
  readonly code = 'StorageError';
}

/** The state folder of this proposer went back to an earlier moment: its configuration is one that the cluster has left, and was given up. */
export class OldState extends NotApplied {
  readonly code = 'OldState';
}

/** The store was closed before the operation began. */
export class StoreClosed extends NotApplied {
  readonly code = 'StoreClosed';
}
