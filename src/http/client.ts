import type { ErrorCode } from './status.js';
import type { Versioned } from '../store/versioned.js';
import { Pool } from 'undici';
import type { Configuration } from '../protocol/configuration.js';
import { slowestAnswerMs, type StoreLimits } from '../store/limits.js';
import type { Rights } from '../store/rights.js';
import type { Rescanned } from '../store/rescan.js';
import type { WatchedKey } from './watched-key.js';

/** No answer in HTTP: refused, reset, or none in time. Whether a write was applied is unknown. */
export class NetworkError extends Error {}

/** What to catch with where no answer is an answer, too. */
export function ifNoAnswer(error: unknown): undefined {
  if (!(error instanceof NetworkError)) throw error;
}

/** What a proposer said. `code` tells one refusal from another; decide by it, not by the status alone. */
export type Answer<Body> = { readonly ok: true; readonly status: number; readonly body: Body } | Refusal;

export interface Refusal {
  readonly ok: false;
  readonly status: number;
  readonly code: ErrorCode;
  readonly message: string;
  /** The whole answer, with what this error says besides: `ver` and `val`, or the present configuration. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** Longer than any answer of a proposer takes, but for those of a rescan. */
const TIMEOUT_MS = 5_000;
/** How much longer than the slowest answer takes: the way there and back, and a busy machine. */
const MARGIN_MS = 1_500;

/** How long to wait for answers of a proposer with these limits. */
export function answerTimeoutMs(limits: StoreLimits): number {
  return Math.max(TIMEOUT_MS, slowestAnswerMs(limits) + MARGIN_MS);
}

/** One of a proposer's two ports, over connections that are kept. Every method rejects with {@link NetworkError} if no answer came. */
abstract class HttpClient {
  readonly #pool: Pool;
  readonly #headers: Readonly<Record<string, string>>;

  /**
   * @param address `host:port`
   * @param headers of every request
   * @param timeoutMs to connect, and then for the answer
   */
  constructor(address: string, headers: Readonly<Record<string, string>> = {}, timeoutMs = TIMEOUT_MS) {
    this.#headers = headers;
    this.#pool = new Pool(`http://${address}`, { connectTimeout: timeoutMs, headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
  }

  close(): Promise<void> {
    return this.#pool.destroy();
  }

  protected async request<Body>(
    method: 'GET' | 'PUT' | 'POST' | 'DELETE',
    path: string,
    { body, headers = {}, timeoutMs }: { body?: unknown; headers?: Readonly<Record<string, string>>; timeoutMs?: number } = {},
  ): Promise<Answer<Body>> {
    const json = body === undefined ? {} : { 'content-type': 'application/json' };
    let status: number;
    let parsed: unknown;
    try {
      const response = await this.#pool.request({
        method,
        path,
        headers: { ...this.#headers, ...json, ...headers },
        body: body === undefined ? null : JSON.stringify(body),
        ...(timeoutMs === undefined ? {} : { headersTimeout: timeoutMs, bodyTimeout: timeoutMs }),
      });
      status = response.statusCode;
      parsed = await response.body.json();
    } catch (error) {
      throw new NetworkError(error instanceof Error ? error.message : String(error), { cause: error });
    }
    if (status < 300) return { ok: true, status, body: parsed as Body };
    const refusal = parsed as { code: ErrorCode; message: string };
    return { ok: false, status, code: refusal.code, message: refusal.message, body: { ...refusal } };
  }
}

/** The port for clients. */
export class KeyValueClient extends HttpClient {
  /**
   * @param wait false asks the proposer neither to queue nor to retry: what collides is refused at once
   * @param timeoutMs as for every client
   */
  constructor(address: string, { wait = true, timeoutMs = TIMEOUT_MS } = {}) {
    super(address, wait ? {} : { prefer: 'wait=0' }, timeoutMs);
  }

  /** `KeyNotFound` means version 0. */
  get(key: string): Promise<Answer<Versioned>> {
    return this.request('GET', pathOf(key));
  }

  /** Writes `val` as version `ver` + 1 if the key is at version `ver`. */
  put(key: string, ver: number, val: unknown, { name, since }: Repeatable = {}): Promise<Answer<Versioned>> {
    return this.request('PUT', pathOf(key), { body: { ver, val, since }, headers: nameHeader(name) });
  }

  /**
   * Applies one change function of the proposer's to what the key holds.
   * @param change its name, with the argument: `{ add: 1 }`; with `ver`, only if the key is at that version
   */
  post(key: string, change: Readonly<Record<string, unknown>>, { name, since }: Repeatable = {}): Promise<Answer<Versioned>> {
    return this.request('POST', pathOf(key), { body: { ...change, since }, headers: nameHeader(name) });
  }

  /** Deletes the key: whatever it holds, or only if it is at version `ver`. */
  delete(key: string, ver?: number, { name, since }: Repeatable = {}): Promise<Answer<Versioned>> {
    const query = new URLSearchParams();
    if (ver !== undefined) query.set('ver', String(ver));
    if (since !== undefined) query.set('since', String(since));
    return this.request('DELETE', `${pathOf(key)}${query.size === 0 ? '' : `?${query.toString()}`}`, { headers: nameHeader(name) });
  }
}

/** What makes a write one that may be sent again. */
export interface Repeatable {
  /** The client's own for this write, 1 to 64 printable characters; sent again under it, the write is applied once. */
  readonly name?: string;
  /** The version of the key that the client knew when it sent the write for the first time. */
  readonly since?: number | undefined;
}

function pathOf(key: string): string {
  return `/kv/${encodeURIComponent(key)}`;
}

function nameHeader(name: string | undefined): Record<string, string> {
  return name === undefined ? {} : { 'idempotency-key': JSON.stringify(name) };
}

/** A thousand keys, of which each may wait and retry for a second, 32 at a time. */
const RESCAN_TIMEOUT_MS = 120_000;

export interface PrometheusMetric {
  readonly name: string;
  readonly values: readonly {
    /** Of one bucket, sum or count of a histogram; else the metric's. */
    readonly metricName?: string;
    readonly value: number;
    readonly labels: Readonly<Record<string, string | number>>;
  }[];
}

/** A configuration, and since when a proposer had it, by its own clock. */
export interface DatedConfiguration {
  readonly atMs: number;
  readonly configuration: Configuration;
}

/** An acceptor as a proposer finds it. */
export interface SeenAcceptor {
  readonly name: string;
  /** What keeps it from doing what it is told, though it is connected and fit; and since when, by the proposer's clock. */
  readonly trouble?: { readonly reason: string; readonly text: string; readonly sinceMs: number };
}

/** The port for the control node. */
export class AdminClient extends HttpClient {
  /**
   * @param token that the proposer was started with, if any
   * @param timeoutMs as for every client
   */
  constructor(address: string, token?: string, timeoutMs = TIMEOUT_MS) {
    // The metrics come as text, too.
    super(address, { accept: 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) }, timeoutMs);
  }

  configuration(): Promise<Answer<Configuration>> {
    return this.request('GET', '/configuration');
  }

  /** The last ones since the proposer was started, the present one at the end. */
  configurations(): Promise<Answer<readonly DatedConfiguration[]>> {
    return this.request('GET', '/configurations');
  }

  /** With why it has no acceptors, if that is because its state folder was found to be an old one. */
  identity(): Promise<Answer<{ proposer: number; incarnation: number; oldState?: string }>> {
    return this.request('GET', '/identity');
  }

  /** Those of the configuration, as this proposer finds them. */
  acceptors(): Promise<Answer<readonly SeenAcceptor[]>> {
    return this.request('GET', '/acceptors');
  }

  /** What its user lacks at an acceptor that it does not use yet; null if it gets no answer from there. @param acceptor by its name */
  rights(acceptor: string): Promise<Answer<Rights | null>> {
    return this.request('GET', `/acceptors/${encodeURIComponent(acceptor)}/rights`);
  }

  /** As prom-client writes them in JSON. */
  metrics(): Promise<Answer<readonly PrometheusMetric[]>> {
    return this.request('GET', '/metrics');
  }

  /** Takes effect only if the proposer is still at `expectedEra`. */
  configure(expectedEra: number, configuration: Configuration): Promise<Answer<Configuration>> {
    return this.request('PUT', '/configuration', { body: { expectedEra, ...configuration } });
  }

  /** @param keys at most 1,000; the answer says how many of them were done */
  rescan(era: number, keys: readonly string[]): Promise<Answer<Rescanned>> {
    return this.request('POST', '/rescan', { body: { era, keys }, timeoutMs: RESCAN_TIMEOUT_MS });
  }

  /** Lets the proposer keep the last rounds of this key, and of no other, for as long as it is asked for them now and then. */
  watch(key: string): Promise<Answer<WatchedKey>> {
    return this.request('PUT', `/watch/${encodeURIComponent(key)}`);
  }

  /** Those rounds; null if it watches no key. */
  watched(): Promise<Answer<WatchedKey | null>> {
    return this.request('GET', '/watch');
  }

  unwatch(): Promise<Answer<null>> {
    return this.request('DELETE', '/watch');
  }
}
