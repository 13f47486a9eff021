/** Every number that bounds a proposer, with its reason. */

/** The longest wait for an acceptor. A quorum answers in a few; one that needs this long is treated as down. */
export const ACCEPTOR_TIMEOUT_MS = 300;

/**
 * How long a request may wait for its turn and retry. The slowest answer of all is that of a write whose last attempt began at this
 * deadline: a pause, its two phases, the search for its outcome, and a read and two phases more. In all that stays below 3.5 s.
 */
export const RETRY_DEADLINE_MS = 1_000;
/** The longest pause before the first retry, about one round trip; doubled for each further one, up to the longest of all. */
export const RETRY_PAUSE_MS = 2;
export const RETRY_PAUSE_MAX_MS = 50;

/** Operations that wait for a round, of all keys together: past that a proposer says so at once, and does not fill its memory. */
export const OPERATIONS_WAITING_MAX = 4_096;

/** How many keys are remembered as written by other proposers, too: those used last. */
export const CONTENDED_KEYS_MAX = 1_000;

/** A read asks the acceptors that it did not count on where one takes this long: well above what a disk write takes, well below the time-out. */
export const ACCEPTOR_LATE_MS = 20;

/** How long to look for the outcome of an accept that failed, before it is reported as unknown. */
export const RESOLVE_MS = 600;
export const RESOLVE_PAUSE_MS = 10;

/** How long a change of configuration waits for connections to acceptors that it adds. It goes on without: they may be down. */
export const CONNECT_WAIT_MS = 500;

/** A key is part of a URL and of every log line and table about it. */
export const KEY_MAX_BYTES = 512;
/** A value is sent to every acceptor and written to disk there, for each change. */
export const VALUE_MAX_BYTES = 64 * 1024;
/** JSON.parse reads any depth; JSON.stringify overflows the stack from about 4,000 levels on, in the middle of a round. */
export const VALUE_MAX_DEPTH = 1_000;
/** A value, its version and some white space. */
export const BODY_MAX_BYTES = VALUE_MAX_BYTES + 1024;

export const RESCAN_MAX_KEYS = 1_000;
/** Each of these keys with every byte escaped as JSON's longest form. */
export const RESCAN_BODY_MAX_BYTES = RESCAN_MAX_KEYS * KEY_MAX_BYTES * 6 + 64 * 1024;
/**
 * Keys of one rescan request in progress at the same time, of which two are under way: most of their time they wait for disks. Measured on two
 * cores with 64 clients beside: with 32 the clients keep 90% of their throughput, with 64 they keep 55% and the rescan is a third faster.
 */
export const RESCAN_CONCURRENCY = 40;
/** Of the keys of one rescan request: whatever is wrong then, it is not these keys, and each further one would cost a retry's whole time. */
export const RESCAN_FAILURES_IN_A_ROW = 64;

/** How long a proposer that was told to stop may take to finish what runs. */
export const SHUTDOWN_MS = 5_000;

/** Idle connections are kept longer than clients keep theirs, so that none is closed under a request. */
export const KEEP_ALIVE_MS = 65_000;

/** A request line with a key of which every byte is percent-encoded, and headers of browsers and proxies. */
export const HEADERS_MAX_BYTES = 8 * 1024;
/** A sender that takes longer holds a connection for nothing: the headers, and all of a request, a rescan's 3 MB included. */
export const HEADERS_TIMEOUT_MS = 5_000;
export const REQUEST_TIMEOUT_MS = 10_000;
/** How often slow senders are looked for. */
export const SLOW_SENDERS_CHECK_MS = 1_000;
/** For each port. Each costs some ten KB; a process may have 1,024 files open by default on many systems, and needs some for itself. */
export const CONNECTIONS_MAX = 900;
