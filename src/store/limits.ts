/** Every number that bounds a store, with its reason. */
export interface StoreLimits {
  /** The longest wait for an acceptor. */
  readonly acceptorTimeoutMs: number;
  /** A read or a prepare asks the acceptors that it did not count on if one takes this long; undefined: it asks all of them at once. */
  readonly acceptorLateMs: number | undefined;
  /** How long an operation may wait for its turn and be tried again. */
  readonly patienceMs: number;
  /** The longest pause before the first retry; doubled for each further one, up to the longest of all. */
  readonly retryPauseMs: number;
  readonly retryPauseMaxMs: number;
  /** How long to find out what became of an accept that failed, before it is reported as unknown. */
  readonly resolveMs: number;
  /** The longest pause before the second attempt to find out. */
  readonly resolvePauseMs: number;
  /** Operations that wait for a round, of all keys together. */
  readonly operationsWaitingMax: number;
  /** How many keys are remembered as written by other proposers, too: those used last. 0: every round begins as if nobody else wrote. */
  readonly contendedKeysMax: number;
  /** Keys of one rescan that are in progress at the same time. */
  readonly rescanConcurrency: number;
  /** The values of these keys together, about, in bytes. */
  readonly rescanBytes: number;
  /** After so many keys of one rescan failed in a row, the others are not tried. */
  readonly rescanFailuresInARow: number;
}

export const DEFAULT_LIMITS: StoreLimits = {
  // A quorum answers in a few milliseconds; an acceptor that needs this long is treated as down.
  acceptorTimeoutMs: 300,
  // Well above what a disk write takes, well below the time-out.
  acceptorLateMs: 20,
  // The slowest answer of all is that of a write whose last attempt began at this deadline: a pause, its two phases, its resolution, and a
  // read and two phases more. In all that stays below 3.5 s.
  patienceMs: 1_000,
  // About one round trip.
  retryPauseMs: 2,
  retryPauseMaxMs: 50,
  resolveMs: 600,
  resolvePauseMs: 10,
  // Past that a proposer says so at once, and does not fill its memory.
  operationsWaitingMax: 4_096,
  contendedKeysMax: 1_000,
  // Two of them are under way: most of their time they wait for disks. Measured on two cores with 64 clients beside: with 32 the clients keep
  // 90% of their throughput, with 64 they keep 55% and the rescan is a third faster.
  rescanConcurrency: 40,
  // Two of them are under way: together as much as a message of a rescan that copies. 80 values of 60 kB at a time came late on a busy machine, and failed.
  rescanBytes: 512 * 1024,
  // Whatever is wrong then, it is not these keys, and each further one would cost a retry's whole time.
  rescanFailuresInARow: 64,
};

/** What ACCEPTOR_TIMEOUT_MS may be. A disk whose every sync takes two seconds is none to wait for. */
const [ACCEPTOR_TIMEOUT_MIN_MS, ACCEPTOR_TIMEOUT_MAX_MS] = [50, 2_000];

/** The limits of a store whose acceptors may take so long to answer: those that have to follow do. */
export function limitsFor(acceptorTimeoutMs: number): StoreLimits {
  const { patienceMs, resolveMs } = DEFAULT_LIMITS;
  return {
    ...DEFAULT_LIMITS,
    acceptorTimeoutMs,
    // Two phases, each of which waits for a sync that is under way and for its own; and something is left.
    patienceMs: Math.max(patienceMs, 3 * acceptorTimeoutMs),
    resolveMs: Math.max(resolveMs, 2 * acceptorTimeoutMs),
  };
}

/** How long the slowest answer of all takes, see `patienceMs`. What waits for answers has to wait longer. */
export function slowestAnswerMs({ acceptorTimeoutMs, patienceMs, retryPauseMaxMs, resolveMs, resolvePauseMs }: StoreLimits): number {
  return patienceMs + retryPauseMaxMs + resolveMs + 4 * resolvePauseMs + 5 * acceptorTimeoutMs;
}

/** Of `ACCEPTOR_TIMEOUT_MS`, which all programs are given alike: the limits that go with it. Throws an error that says what it takes. */
export function readLimits(environment: Readonly<Record<string, string | undefined>>): StoreLimits {
  const text = environment['ACCEPTOR_TIMEOUT_MS'];
  if (!text) return DEFAULT_LIMITS;
  const timeoutMs = /^\d+$/.test(text) ? Number(text) : NaN;
  if (timeoutMs >= ACCEPTOR_TIMEOUT_MIN_MS && timeoutMs <= ACCEPTOR_TIMEOUT_MAX_MS) return limitsFor(timeoutMs);
  throw new Error(
    `ACCEPTOR_TIMEOUT_MS must be an integer from ${ACCEPTOR_TIMEOUT_MIN_MS} to ${ACCEPTOR_TIMEOUT_MAX_MS}, not "${text}": three times what a write to the slowest disk takes`,
  );
}
