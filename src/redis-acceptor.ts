import { readFileSync } from 'node:fs';
import { Redis, type RedisOptions } from 'ioredis';
import type { Accepted, Acceptor, AcceptReply, PrepareReply, Value } from './acceptor.js';
import { type Ballot, formatBallot, parseBallot } from './ballot.js';
import { splitAddress } from './addresses.js';

/** Registers are the hashes under this prefix; whatever else an acceptor stores lies outside it. */
export const REGISTER_PREFIX = 'r:';

/** A client that fails fast and never sends a command twice: an accept that was replayed would look like a conflict with oneself. */
export function connectRedis(address: string, timeoutMs: number, options: Pick<RedisOptions, 'scripts' | 'lazyConnect'> = {}): Redis {
  const redis = new Redis({
    ...splitAddress(address),
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    socketTimeout: 2 * timeoutMs,
    maxLoadingRetryTime: RECONNECT_MS,
    retryStrategy: (attempt) => Math.min(attempt * 10, RECONNECT_MS),
    disableClientInfo: true,
    ...options,
  });
  // Without a listener ioredis writes every failed connection to the console; what counts is seen by the caller of each command.
  redis.on('error', () => undefined);
  return redis;
}

/** The longest pause between two attempts to reach an acceptor, in milliseconds: it is back in use this soon after it is back. */
const RECONNECT_MS = 200;

interface ScriptedRedis extends Redis {
  casPrepare(register: string, ballot: string): Promise<string[]>;
  casAccept(register: string, ballot: string, value: string, next: string): Promise<string[]>;
}

const script = (name: string): { numberOfKeys: number; lua: string } => ({
  numberOfKeys: 1,
  lua: readFileSync(new URL(`../acceptor/${name}.lua`, import.meta.url), 'utf8'),
});
const SCRIPTS = { casPrepare: script('prepare'), casAccept: script('accept') };

export interface RedisAcceptorOptions {
  /** `host:port` to connect to. */
  readonly address: string;
  /** For each message, in milliseconds. */
  readonly timeoutMs: number;
  /** Called when the acceptor begins to answer, and when it no longer does. */
  readonly onReachable?: (reachable: boolean) => void;
}

/** The acceptor's role played by a Redis server: a script for each phase, run in one step by Redis. */
export class RedisAcceptor implements Acceptor {
  readonly #redis: ScriptedRedis;

  constructor({ address, timeoutMs, onReachable }: RedisAcceptorOptions) {
    this.#redis = connectRedis(address, timeoutMs, { scripts: SCRIPTS }) as ScriptedRedis;
    let reachable = false;
    const report = (now: boolean): void => {
      if (now !== reachable) onReachable?.((reachable = now));
    };
    this.#redis.on('ready', () => report(true));
    this.#redis.on('close', () => report(false));
  }

  get reachable(): boolean {
    return this.#redis.status === 'ready';
  }

  async prepare(key: string, ballot: Ballot): Promise<PrepareReply> {
    const [verdict, other, value] = await this.#redis.casPrepare(REGISTER_PREFIX + key, formatBallot(ballot));
    if (verdict !== 'ok') return { ok: false, conflict: parseBallot(String(other)) };
    return { ok: true, ...accepted(other, value) };
  }

  async accept(key: string, ballot: Ballot, value: Value, next: Ballot): Promise<AcceptReply> {
    const [verdict, other] = await this.#redis.casAccept(REGISTER_PREFIX + key, formatBallot(ballot), value ?? '', formatBallot(next));
    return verdict === 'ok' ? { ok: true } : { ok: false, conflict: parseBallot(String(other)) };
  }

  async read(key: string): Promise<Accepted> {
    const [ballot, value] = await this.#redis.hmget(REGISTER_PREFIX + key, 'ballot', 'value');
    return accepted(ballot, value);
  }

  close(): void {
    this.#redis.disconnect();
  }
}

/** The empty register is stored as "", which no value is. */
function accepted(ballot: string | null | undefined, value: string | null | undefined): Accepted {
  return { ballot: parseBallot(ballot ?? ''), value: value === '' ? null : (value ?? null) };
}
