import type { Redis } from 'ioredis';
import { memoryUsedIn } from './memory-use.js';

/*
 * What makes a Redis, or a relative of it, lose what it has promised or accepted. docs/acceptors.md gives the reasons and says what was run.
 */

/** A setting that makes a server unfit to be an acceptor. */
export interface Flaw {
  /** As the server names it. */
  readonly setting: string;
  /** What it is at present. */
  readonly value: string;
  /** The command that mends it, or what else does. */
  readonly mend: string;
}

/**
 * What the caller knows of a server from before. A server that was told `appendonly yes` has no file until its first rewrite has ended, and
 * does not say whether a rewrite is its first.
 *
 * - `served`: it was fit a moment ago, so a rewrite is none that it depends on.
 * - `nothing`: a rewrite may be its first one if there is no base yet.
 * - `no file`: it kept none when it was last looked at, or it holds nothing that is worth a rewrite. Any rewrite may be its first.
 */
export type Acquaintance = 'served' | 'nothing' | 'no file';

/** The settings that are asked for by CONFIG GET: INFO does not tell them. */
export const CONFIGURED = ['appendfsync', 'no-appendfsync-on-rewrite', 'io-threads'];
/** What CONFIG GET answered; a text: why it did not; undefined: it was not to be asked. */
export type Configured = ReadonlyMap<string, string> | string | undefined;

interface Server extends Kind {
  readonly info: (field: string) => string;
  readonly configured: Configured;
  /** What CONFIG GET says; undefined if it was not to be asked, or did not answer. */
  readonly config: (setting: string) => string | undefined;
  readonly known: Acquaintance;
}

interface Rule {
  readonly setting: string;
  /** The value that makes it unfit, if it does. */
  readonly flaw: (server: Server) => string | undefined;
  readonly mend: string;
}

/** The value, unless it is one of these. A server that does not tell it is not believed to have the right one. */
const unless = (value: string, ...fit: readonly string[]): string | undefined => (fit.includes(value) ? undefined : value || 'not told');
const toConfigure = (setting: string, value: string): string => `CONFIG SET ${setting} ${value}, and the same in its configuration file`;
const NO_COPY = '0'.repeat(40);

const RULES: readonly Rule[] = [
  {
    setting: 'version',
    flaw: ({ name, version }) => (isBefore(version, 7, 0) ? `${name} ${version}` : undefined),
    mend: 'Run Redis 7.0 or later, or Valkey: before that an fsync that failed is answered with OK',
  },
  {
    setting: 'loading',
    flaw: ({ info }) => unless(info('loading'), '0'),
    mend: 'Wait until it has read its file',
  },
  {
    setting: 'appendonly',
    flaw: ({ info }) => (unless(info('aof_enabled'), '1') === undefined ? undefined : 'no'),
    mend: toConfigure('appendonly', 'yes'),
  },
  {
    setting: 'appendonly',
    flaw: (server) =>
      server.info('aof_enabled') === '1' && mayLackItsFile(server) ? 'yes, and its first rewrite has not ended' : undefined,
    mend: 'Wait until INFO says aof_rewrite_in_progress:0 and aof_last_bgrewrite_status:ok; BGREWRITEAOF if that failed',
  },
  {
    setting: 'appendfsync',
    flaw: ({ config }) => unless(config('appendfsync') ?? 'always', 'always'),
    mend: toConfigure('appendfsync', 'always'),
  },
  {
    setting: 'no-appendfsync-on-rewrite',
    flaw: ({ config }) => unless(config('no-appendfsync-on-rewrite') ?? 'no', 'no'),
    mend: toConfigure('no-appendfsync-on-rewrite', 'no'),
  },
  {
    setting: 'CONFIG GET',
    flaw: ({ configured }) => (typeof configured === 'string' ? configured : undefined),
    mend: 'Give its user the right (+config|get), or see docs/acceptors.md for a provider that forbids it',
  },
  {
    setting: 'io-threads',
    flaw: (server) => (answersEarlyWithThreads(server) ? threadsOf(server) : undefined),
    mend: 'Set io-threads 1 in its configuration file, and start it again: this version answers before its fdatasync if it has more',
  },
  {
    setting: 'maxmemory-policy',
    flaw: ({ info }) => (info('maxmemory') === '0' ? undefined : unless(info('maxmemory_policy'), 'noeviction')),
    mend: toConfigure('maxmemory-policy', 'noeviction'),
  },
  {
    setting: 'evicted_keys',
    flaw: ({ info }) => unless(info('evicted_keys'), '0'),
    mend: 'It has forgotten registers: take it out of the cluster, wipe it (wipe-acceptor), then CONFIG RESETSTAT, and let it join again',
  },
  {
    setting: 'role',
    flaw: ({ info }) => unless(info('role'), 'master'),
    mend: 'What it holds is a copy. Take it out of the cluster, REPLICAOF NO ONE, wipe it, start it again, and let it join',
  },
  {
    setting: 'master_replid2',
    flaw: ({ info }) => (info('role') === 'master' ? unless(info('master_replid2'), NO_COPY) : undefined),
    mend: 'It was a replica, and what it holds is a copy. Take it out of the cluster, wipe it, start it again, and let it join',
  },
  {
    setting: 'connected_slaves',
    flaw: ({ info }) => unless(info('connected_slaves'), '0'),
    mend: 'REPLICAOF NO ONE at each replica: a failover to one would lose acknowledged writes; the copies are the other acceptors',
  },
];

/** Why a server is no acceptor, by what it says of itself. @param info the answer to INFO */
export function unfitnessOf(info: string, configured: Configured, known: Acquaintance): Flaw[] {
  const fields = fieldsOf(info);
  const server = {
    ...kindOf(fields),
    info: (field: string): string => fields.get(field) ?? '',
    configured,
    config: (setting: string): string | undefined => (typeof configured === 'object' ? (configured.get(setting) ?? '') : undefined),
    known,
  };
  return RULES.flatMap(({ setting, flaw, mend }) => {
    const value = flaw(server);
    return value === undefined ? [] : [{ setting, value, mend }];
  });
}

/** The operator vouches for its settings. */
export const UNCHECKED = 'whether appendfsync is always is not checked: its address says config=unchecked';

/** What comes of a right that the control node's user lacks. It stands here because who judges a step opens no connection. */
export const UNCOPIED = 'to copy registers, so a rescan runs a round for each key';

/** What an operator should know of a server that is fit. */
export function cautionsOf(info: string, configured: Configured): string[] {
  const { name, version } = kindOf(fieldsOf(info));
  const isTried = TRIED.some((line) => `${name} ${version}`.startsWith(`${line}.`));
  return [
    ...(isTried ? [] : [`${name} ${version} is not among the servers that were tried (docs/acceptors.md)`]),
    ...(configured === undefined ? [UNCHECKED] : []),
  ];
}

export function flawText({ setting, value, mend }: Flaw): string {
  return `${setting} is ${value}. ${mend}`;
}

/** What a server is, and whether it will do. */
export interface Fitness {
  readonly flaws: readonly Flaw[];
  readonly cautions: readonly string[];
  /** The share of its memory that is used, from 0 to 1; undefined where that has no limit. Of a Redis Cluster, of the fullest node. */
  readonly memoryUsed?: number | undefined;
}

/** Asks a server. @param isConfigAsked whether its provider lets CONFIG GET through */
export async function lookAtFitness(redis: Redis, known: Acquaintance, isConfigAsked: boolean): Promise<Fitness> {
  const [info, configured] = await Promise.all([redis.info(), isConfigAsked ? configuredOn(redis) : undefined]);
  return { flaws: unfitnessOf(info, configured, known), cautions: cautionsOf(info, configured), memoryUsed: memoryUsedIn(fieldsOf(info)) };
}

async function configuredOn(redis: Redis): Promise<Configured> {
  try {
    const answer = (await redis.call('CONFIG', 'GET', ...CONFIGURED)) as string[];
    return new Map(answer.flatMap((setting, index) => (index % 2 === 0 ? [[setting, answer[index + 1] ?? '']] : [])));
  } catch (error) {
    // Without an answer nothing is known of the settings; a refusal is an answer.
    if (error instanceof Error && error.name === 'ReplyError') return `refused (${error.message})`;
    throw error;
  }
}

/** The lines of versions that were run as acceptors. */
const TRIED = ['Redis 7.0', 'Redis 8.0', 'Redis 8.6', 'Valkey 8.0', 'Valkey 8.1', 'Valkey 9.1', 'Redict 7.3'];

interface Kind {
  readonly name: 'Redis' | 'Valkey' | 'Redict';
  readonly version: string;
}

/** The relatives tell their own version beside that of the Redis that they are compatible with. */
function kindOf(fields: ReadonlyMap<string, string>): Kind {
  for (const name of ['Valkey', 'Redict'] as const) {
    const version = fields.get(`${name.toLowerCase()}_version`);
    if (version !== undefined) return { name, version };
  }
  return { name: 'Redis', version: fields.get('redis_version') ?? 'of an unknown version' };
}

function fieldsOf(info: string): ReadonlyMap<string, string> {
  const lines = info.split('\r\n').filter((line) => line.includes(':'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

function isBefore(version: string, major: number, minor: number): boolean {
  const [ownMajor = NaN, ownMinor = NaN] = version.split('.').map(Number);
  return ownMajor < major || (ownMajor === major && ownMinor < minor);
}

function mayLackItsFile({ info, known }: Server): boolean {
  const isUnfinished =
    info('aof_rewrite_in_progress') !== '0' || info('aof_rewrite_scheduled') !== '0' || info('aof_last_bgrewrite_status') !== 'ok';
  return isUnfinished && (known === 'no file' || (known === 'nothing' && info('aof_base_size') === '0'));
}

/** Redis 8.6.3 and Valkey 9.1.2 do, Redis 8.0.2 and Valkey 8.1.1 do not; those between could not be run. */
function answersEarlyWithThreads({ name, version }: Kind): boolean {
  if (name === 'Redict') return false;
  return name === 'Valkey' ? !isBefore(version, 9, 0) : !isBefore(version, 8, 1);
}

/** How many, if there are more than one. */
function threadsOf({ config, info }: Server): string | undefined {
  const count = config('io-threads');
  if (count !== undefined) return unless(count, '1');
  return info('io_threads_active') === '1' ? 'more than 1' : undefined;
}
