/**
 * CASPaxos (Denis Rystsov, "CASPaxos: Replicated State Machines without logs") as a library. Begin with {@link createStore}; README.md says in which
 * order to read `protocol/`.
 */
export type { Accepted, Acceptor, AcceptReply, PrepareReply, RegisterState, Value } from './protocol/acceptor.js';
export { type Ballot, compareBallots, formatBallot, parseBallot } from './protocol/ballot.js';
export { type Change, type ChangeFunction, keepValue } from './protocol/change.js';
export { type Configuration, EMPTY_CONFIGURATION } from './protocol/configuration.js';
export {
  ClusterError,
  CommitError,
  ConcurrentRequestError,
  NotApplied,
  NotConfigured,
  NotRun,
  PrepareError,
  StaleConfiguration,
  StrangerError,
  UnfitAcceptor,
} from './protocol/errors.js';
export type { Beats, Introduction } from './store/greeting.js';
export { MemoryAcceptor } from './protocol/memory-acceptor.js';
export { Proposer, type ProposerOptions, type RoundOptions } from './protocol/proposer.js';
export type { QuorumSet } from './protocol/quorum.js';
export type { Time } from './protocol/time.js';
export type { Versioned } from './store/versioned.js';
export {
  BadRequest,
  ChangeRefused,
  EraMismatch,
  KeyNotFound,
  NameReused,
  OldState,
  OutcomeForgotten,
  StorageError,
  StoreClosed,
  VersionMismatch,
} from './store/errors.js';
export type { StoreLimits } from './store/limits.js';
export { memoryAcceptors, memoryState } from './store/memory.js';
export type { Acceptors, OperationOptions, ProposerState, StoreEvents, StoreOptions } from './store/options.js';
export { createStore, type Store } from './store/store.js';
export { DELETED, type JsonChange, type OperationName, type Write } from './store/write.js';
