import { ClusterError, NotRun, TimedOut } from '../protocol/errors.js';
import { FULL } from '../store/storage-full.js';
import { COMMAND_TIMED_OUT } from './sender.js';

/*
 * What a Redis, or a relative of it, answers in place of running a script. docs/acceptors.md says on which servers each was tried.
 */

/**
 * The errors with which a server refuses a script as a whole, or the one write in it before that did anything: the acceptor is then certainly as
 * it was. They are the first words of the answers. Every other error may come from somewhere between the acceptor and us, and proves nothing.
 */
const REFUSALS = {
  OOM: 'its memory is full',
  READONLY: 'it is a replica',
  MISCONF: 'it could not save a snapshot, and takes no writes until it has',
  NOPERM: 'its user may not do that',
  NOAUTH: 'it wants a password',
  NOSCRIPT: 'it forgets scripts at once',
  LOADING: 'it still reads its file',
  BUSY: 'another script takes too long',
  MASTERDOWN: 'it is a replica without its master',
  NOREPLICAS: 'it lacks the replicas that min-replicas-to-write asks for',
  CLUSTERDOWN: 'its Redis Cluster is down',
  CROSSSLOT: 'it is a node of a Redis Cluster, and its address does not say so',
  MOVED: 'the slot of the key is at another node now',
  ASK: 'the slot of the key is moving',
  TRYAGAIN: 'the slot of the key is moving',
} as const;

export type RefusalReason = keyof typeof REFUSALS;
export const REFUSAL_REASONS = Object.keys(REFUSALS) as readonly RefusalReason[];

/** How Redis says from within a script that its user lacks a right: 7.0 and what came after, in this order. */
const NO_RIGHT = /^ERR (The user executing the script can't|ACL failure in script)/;

/** Whether an error of a server says that its user may not do that, in a script or by itself. */
export function isLackOfRight(message: string): boolean {
  return message.startsWith('NOPERM') || NO_RIGHT.test(message);
}

/** The acceptor answered with an error in place of running the message. */
export class RefusedToRun extends NotRun {
  readonly code = 'RefusedToRun';
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, cause: unknown) {
    super(`${reason}, ${REFUSALS[reason]}`, reason === 'OOM' ? FULL : {}, cause);
    this.reason = reason;
  }
}

/** There is no connection to the acceptor, or it has not said yet who it is: the message was not sent. */
export class NotConnected extends NotRun {
  readonly code = 'NotConnected';

  constructor() {
    super('not connected');
  }
}

/**
 * What has the name of the register is none: somebody put it there by hand, maybe over the register. Not a {@link NotRun}, for these words may be
 * those of a proxy.
 */
export class NoRegister extends ClusterError {
  readonly code = 'NoRegister';

  constructor(cause: unknown) {
    super(
      'WRONGTYPE, it holds something else in place of this register: see "Somebody wrote to an acceptor by hand" in docs/operations.md',
      {},
      cause,
    );
  }
}

/**
 * What an error of ioredis says about a script that was sent once. It counts as refused if the server itself answered so to this very command: a
 * time-out or a lost connection leaves open what became of it.
 */
export function refusalIn(error: unknown, timeoutMs: number): unknown {
  if (!(error instanceof Error)) return error;
  if (error.message === COMMAND_TIMED_OUT) return new TimedOut(`slow or stopped, no answer in ${timeoutMs} ms`, {}, error);
  if (error.name !== 'ReplyError') return error;
  if (error.message.startsWith('WRONGTYPE ')) return new NoRegister(error);
  const reason = isLackOfRight(error.message) ? 'NOPERM' : error.message.replace(/ .*$/s, '');
  return isRefusal(reason) ? new RefusedToRun(reason, error) : error;
}

function isRefusal(word: string): word is RefusalReason {
  return Object.hasOwn(REFUSALS, word);
}
