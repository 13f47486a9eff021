import { ClusterError, NotApplied } from '../protocol/errors.js';

/** The key is not at the version that the compare-and-set expected; `details` hold the present `ver` and `val`. */
export class VersionMismatch extends ClusterError {
  readonly code = 'VersionMismatch';
}

/** The key does not exist: version 0. `details` hold the version of its deletion, if it was deleted. */
export class KeyNotFound extends ClusterError {
  readonly code = 'KeyNotFound';
}

/** A change function does not take what the key holds; the message says what it takes. Nothing was changed. */
export class ChangeRefused extends ClusterError {
  readonly code = 'ChangeRefused';
}

/** The name of the operation was given to another request before. Nothing was changed. */
export class NameReused extends ClusterError {
  readonly code = 'NameReused';
}

/** So much was written since that nobody can tell whether the operation of this name was applied. It is not applied now. */
export class OutcomeForgotten extends ClusterError {
  readonly code = 'OutcomeForgotten';
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
