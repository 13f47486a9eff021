/** Every number that bounds a proposer's two ports, with its reason; those of the store are in src/store/limits.ts. */

/** A key is part of a URL and of every log line and table about it. */
export const KEY_MAX_BYTES = 512;
/** A value is sent to every acceptor and written to disk there, for each change. */
export const VALUE_MAX_BYTES = 64 * 1024;
/** A value, its version and some white space. */
export const BODY_MAX_BYTES = VALUE_MAX_BYTES + 1024;

export const RESCAN_MAX_KEYS = 1_000;
/** Each of these keys with every byte escaped as JSON's longest form. */
export const RESCAN_BODY_MAX_BYTES = RESCAN_MAX_KEYS * KEY_MAX_BYTES * 6 + 64 * 1024;
/** How long a proposer that was told to stop may take to finish what runs. */
export const SHUTDOWN_MS = 5_000;
/** How long it waits for the next request on a connection that is idle: longer than a busy client takes between two of them. */
export const IDLE_AT_SHUTDOWN_MS = 250;

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

/** Of the key that is watched. A duel of two proposers is told whole; with three acceptors each takes some two KB. */
export const ROUNDS_WATCHED = 64;
/** A page looks each second; one that is closed does not say so. */
export const WATCH_MS = 120_000;
/** Of a value, or of an error's message, in a message that is watched. */
export const WATCHED_VALUE_MAX_BYTES = 128;
