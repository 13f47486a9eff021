import { readFileSync } from 'node:fs';
import { Redis, type RedisOptions } from 'ioredis';
import { parseAddress } from '../node/addresses.js';
import { connectorTo, NAMES, type Names } from './names.js';

/** What lets a client in at an acceptor. Never part of an address: addresses are logged, stored and typed. */
export interface RedisAccess {
  readonly username?: string;
  readonly password?: string;
  /** The certificate of the authority that signed the acceptors', PEM, for `rediss://`; without one the system's authorities count. */
  readonly ca?: string;
}

/** Reads what `REDIS_USER`, `REDIS_PASSWORD_FILE` and `REDIS_CA_FILE` say. Throws an error that names the variable. */
export function readRedisAccess(environment: NodeJS.ProcessEnv): RedisAccess {
  const username = environment['REDIS_USER'];
  const password = readSecret(environment, 'REDIS_PASSWORD_FILE');
  const ca = readSecret(environment, 'REDIS_CA_FILE');
  if (username && password === undefined) throw new Error('REDIS_USER is set: REDIS_PASSWORD_FILE must name the file with the password');
  return { ...(username && { username }), ...(password !== undefined && { password }), ...(ca !== undefined && { ca }) };
}

/** The text of the file that a variable names, without the end of its line; undefined if the variable is not set. */
export function readSecret(environment: NodeJS.ProcessEnv, variable: string): string | undefined {
  const file = environment[variable];
  if (!file) return undefined;
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trimEnd();
  } catch (error) {
    throw new Error(`${variable}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  if (text === '') throw new Error(`${variable}: ${file} is empty`);
  return text;
}

/** The longest pause between two attempts to reach an acceptor, in milliseconds: it is back in use this soon after it is back. */
export const RECONNECT_MS = 200;
export const reconnectPause = (attempt: number): number => Math.min(attempt * 10, RECONNECT_MS);

/** A client that fails fast and never sends a command twice: an accept that was replayed would look like a conflict with oneself. */
export function connectRedis(
  address: string,
  timeoutMs: number,
  { username, password, ca }: RedisAccess = {},
  options: Pick<RedisOptions, 'scripts' | 'lazyConnect' | 'retryStrategy'> = {},
  names: Names = NAMES,
): Redis {
  const { host, port, tls: isEncrypted } = parseAddress(address);
  const tls = isEncrypted ? (ca === undefined ? {} : { ca }) : undefined;
  const redis = new Redis({
    host,
    port,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls }),
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    socketTimeout: 2 * timeoutMs,
    maxLoadingRetryTime: RECONNECT_MS,
    retryStrategy: reconnectPause,
    disableClientInfo: true,
    Connector: connectorTo(names, host, port, tls),
    ...options,
  });
  // Without a listener ioredis writes every failed connection to the console; what counts is seen by the caller of each command.
  redis.on('error', () => undefined);
  return redis;
}
