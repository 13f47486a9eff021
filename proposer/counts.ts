import type { Accepted, Acceptor, Conflict } from '../src/protocol/acceptor.js';
import type { Phase } from '../src/protocol/events.js';
import type { Acceptors, OperationKind, StoreEvents } from '../src/store/options.js';
import { ClusterError, StrangerError, UnfitAcceptor } from '../src/protocol/errors.js';
import { NotConnected, REFUSAL_REASONS } from '../src/redis/refusals.js';
import { troubleReasonOf } from '../src/redis/trouble.js';

/** Of one kind of operation. */
export interface OperationCounts {
  inFlight: number;
  /** By `ok`, or the code of the error. */
  readonly outcomes: Map<string, number>;
}

/** Of the messages of one phase to one acceptor. */
export interface CallCounts {
  ok: number;
  /** A higher ballot stood in the way. */
  conflict: number;
  /** No answer, or not in time. */
  failed: number;
  /** Somebody answered who is not the acceptor that is meant. */
  stranger: number;
  /** It was not sent: as the acceptor is set up, it would lose what it is told. */
  unfit: number;
}

/** Why a call had no reply: what the server refused it with, or what became of it. There are no others, whatever a server says. */
export const FAILURE_REASONS = [...REFUSAL_REASONS, 'timeout', 'not connected', 'stranger', 'unfit', 'other'] as const;
type FailureReason = (typeof FAILURE_REASONS)[number];

function failureReasonOf(error: unknown): FailureReason {
  if (error instanceof StrangerError) return 'stranger';
  if (error instanceof UnfitAcceptor) return 'unfit';
  return error instanceof NotConnected ? 'not connected' : (troubleReasonOf(error) ?? 'other');
}

/** What a proposer did since its start, in plain numbers: the hot path only adds. `metrics.ts` makes Prometheus metrics of them when asked. */
export class Counts {
  readonly operations: Readonly<Record<OperationKind, OperationCounts>> = {
    read: { inFlight: 0, outcomes: new Map() },
    write: { inFlight: 0, outcomes: new Map() },
    rescan: { inFlight: 0, outcomes: new Map() },
  };
  /** One for each time that a quorum is asked, whatever the number of acceptors. */
  readonly roundTrips: Record<Phase, number> = { read: 0, prepare: 0, accept: 0 };
  /** Rounds that needed no prepare. */
  promisesUsed = 0;
  retries = 0;
  /** Writes whose accept no quorum confirmed, by whether their outcome was found out. */
  readonly unconfirmed = { resolved: 0, unresolved: 0 };
  /** By the name of the acceptor. */
  readonly calls = new Map<string, Readonly<Record<Phase, CallCounts>>>();
  /** Calls without a reply, by the name of the acceptor and the reason. */
  readonly failures = new Map<string, Record<FailureReason, number>>();
  readonly #onDuration: (kind: OperationKind, seconds: number) => void;
  readonly #counted = new WeakMap<Acceptor, Acceptor>();

  /** @param onDuration is told how long each operation took */
  constructor(onDuration: (kind: OperationKind, seconds: number) => void) {
    this.#onDuration = onDuration;
  }

  /** Counts an operation from now to its end. Never rejects: its caller has the same promise. */
  async #operation(kind: OperationKind, running: Promise<unknown>): Promise<void> {
    const begunMs = performance.now();
    const counts = this.operations[kind];
    counts.inFlight += 1;
    let outcome = 'ok';
    try {
      await running;
    } catch (error) {
      outcome = error instanceof ClusterError ? error.code : 'InternalError';
    }
    counts.inFlight -= 1;
    counts.outcomes.set(outcome, (counts.outcomes.get(outcome) ?? 0) + 1);
    this.#onDuration(kind, (performance.now() - begunMs) / 1_000);
  }

  /** What a store tells, counted. */
  readonly events: StoreEvents = {
    onOperation: (kind, running) => void this.#operation(kind, running),
    onPhase: (phase) => (this.roundTrips[phase] += 1),
    onPromiseUsed: () => (this.promisesUsed += 1),
    onRetry: () => (this.retries += 1),
    onResolved: (isFound) => (this.unconfirmed[isFound ? 'resolved' : 'unresolved'] += 1),
  };

  /** The same acceptors, with the calls to each of them counted. */
  acceptors(acceptors: Required<Acceptors>): Acceptors {
    return {
      get: (name, identity) => this.#acceptor(name, acceptors.get(name, identity)),
      introduce: (introduction) => acceptors.introduce(introduction),
      assertName: (name) => acceptors.assertName(name),
      connect: (configuration) => acceptors.connect(configuration),
      retain: (configuration) => acceptors.retain(configuration),
      close: () => acceptors.close(),
    };
  }

  #acceptor(name: string, acceptor: Acceptor): Acceptor {
    let counted = this.#counted.get(acceptor);
    if (!counted) this.#counted.set(acceptor, (counted = countedAcceptor(acceptor, this.#callsTo(name), this.#failuresOf(name))));
    return counted;
  }

  #failuresOf(name: string): Record<FailureReason, number> {
    const none = FAILURE_REASONS.map((reason) => [reason, 0]);
    const failures = this.failures.get(name) ?? (Object.fromEntries(none) as Record<FailureReason, number>);
    this.failures.set(name, failures);
    return failures;
  }

  #callsTo(name: string): Readonly<Record<Phase, CallCounts>> {
    const none = (): CallCounts => ({ ok: 0, conflict: 0, failed: 0, stranger: 0, unfit: 0 });
    let calls = this.calls.get(name);
    if (!calls) this.calls.set(name, (calls = { read: none(), prepare: none(), accept: none() }));
    return calls;
  }
}

/** What counts the end of a call. */
interface Tally {
  readonly reply: (reply: { ok: true } | Conflict | Accepted) => void;
  readonly failure: (error: unknown) => void;
}

function countedAcceptor(
  acceptor: Acceptor,
  calls: Readonly<Record<Phase, CallCounts>>,
  failures: Record<FailureReason, number>,
): Acceptor {
  const tallies = { prepare: tally(calls.prepare, failures), accept: tally(calls.accept, failures), read: tally(calls.read, failures) };
  return {
    prepare: (key, ballot, frees) => counted(acceptor.prepare(key, ballot, frees), tallies.prepare),
    accept: (key, ballot, value, next, frees) => counted(acceptor.accept(key, ballot, value, next, frees), tallies.accept),
    read: (key) => counted(acceptor.read(key), tallies.read),
  };
}

/** The same call: who counts only listens, and comes first. */
function counted<Reply extends { ok: true } | Conflict | Accepted>(call: Promise<Reply>, { reply, failure }: Tally): Promise<Reply> {
  void call.then(reply, failure);
  return call;
}

/** Made once for each acceptor and phase, not for each message. */
function tally(counts: CallCounts, failures: Record<FailureReason, number>): Tally {
  return {
    reply: (reply) => {
      if ('conflict' in reply) counts.conflict += 1;
      else counts.ok += 1;
    },
    failure: (error) => {
      if (error instanceof StrangerError) counts.stranger += 1;
      else if (error instanceof UnfitAcceptor) counts.unfit += 1;
      else counts.failed += 1;
      failures[failureReasonOf(error)] += 1;
    },
  };
}
