import { resolve } from 'node:path';
import { readLimits, type StoreLimits } from '../src/store/limits.js';
import { readRedisAccess, readSecret, type RedisAccess } from '../src/redis/redis-connection.js';

/** What the environment says. */
export interface ProposerSettings {
  readonly id: number;
  /** Absolute. */
  readonly stateFolder: string;
  readonly host: string;
  /** A name is looked up when the proposer starts: it may be this node's on the one network that the control node is on. */
  readonly adminHost: string;
  readonly port: number;
  readonly adminPort: number;
  readonly logLevel: string;
  readonly logFormat: LogFormat;
  /** A JSON file from logical names to addresses; without it the names are the addresses. */
  readonly addressMap: string | undefined;
  /** To the acceptors. */
  readonly access: RedisAccess;
  /** What the admin port asks for; undefined: nothing. */
  readonly adminToken: string | undefined;
  readonly limits: StoreLimits;
}

/** A JSON object a line, for programs; or a line of text, for people. */
export type LogFormat = 'json' | 'pretty';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** Throws an error that names the variable and what it takes. */
export function readSettings(environment: NodeJS.ProcessEnv): ProposerSettings {
  const logLevel = environment['LOG_LEVEL'] || 'info';
  if (!LOG_LEVELS.includes(logLevel)) throw new Error(`LOG_LEVEL must be one of ${LOG_LEVELS.join(', ')}`);
  const logFormat = environment['LOG_FORMAT'] || 'json';
  if (logFormat !== 'json' && logFormat !== 'pretty') throw new Error('LOG_FORMAT must be json or pretty');
  const stateFolder = environment['STATE_DIR'];
  if (!stateFolder) throw new Error('STATE_DIR must name the folder for this proposer, which it keeps its configuration in');
  return {
    id: integer(environment, 'PROPOSER_ID', undefined, Number.MAX_SAFE_INTEGER),
    stateFolder: resolve(stateFolder),
    host: environment['HOST'] || '0.0.0.0',
    adminHost: environment['ADMIN_HOST'] || environment['HOST'] || '0.0.0.0',
    port: integer(environment, 'PORT', 8080, 65_535),
    adminPort: integer(environment, 'ADMIN_PORT', 8090, 65_535),
    logLevel,
    logFormat,
    addressMap: environment['ADDRESS_MAP'] || undefined,
    access: readRedisAccess(environment),
    adminToken: readSecret(environment, 'ADMIN_TOKEN_FILE'),
    limits: readLimits(environment),
  };
}

function integer(environment: NodeJS.ProcessEnv, name: string, fallback: number | undefined, max: number): number {
  const text = environment[name];
  if (!text && fallback !== undefined) return fallback;
  const value = /^\d+$/.test(text ?? '') ? Number(text) : NaN;
  if (!(value >= 1 && value <= max)) throw new Error(`${name} must be an integer from 1 to ${max}${text ? `, not "${text}"` : ''}`);
  return value;
}
