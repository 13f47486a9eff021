import type { Introduction } from '../store/greeting.js';
import { IDENTITY_KEY } from './keys.js';
import type { Names } from './names.js';
import type { RedisAccess } from './redis-connection.js';

/**
 * Finds the key in which an acceptor keeps its identity. A script declares that key beside the register's: a node of a Redis Cluster runs only what stays in one
 * slot.
 */
export interface IdentityKeys {
  /** The key to look at for a register. */
  of(register: string): string;
  /** The key to look at over a new connection; undefined if there is none to look at. Rejects if the connection is of no use. */
  met(): Promise<string | undefined>;
}

export const ONE_IDENTITY: IdentityKeys = { of: () => IDENTITY_KEY, met: () => Promise.resolve(IDENTITY_KEY) };

export interface LinkOptions {
  /** See `parseAddress`. */
  readonly address: string;
  readonly access?: RedisAccess | undefined;
  /** Of the acceptor that is meant; without one it is not checked. */
  readonly identity?: string | undefined;
  /** For each message, in milliseconds. */
  readonly timeoutMs: number;
  /** Called when the acceptor begins to answer, when it no longer does, and when another one answers in its place. */
  readonly onState?: OnState;
  /** On whose behalf it is asked. */
  readonly introduction?: Introduction;
  /** Of a node of a Redis Cluster, which is not greeted: its identity alone is looked at. */
  readonly identityKeys?: IdentityKeys;
  /** Those of the process, unless others are given. */
  readonly names?: Names;
  /** How often an acceptor that is connected is looked at again, in milliseconds. */
  readonly fitnessEveryMs?: number;
  /** How often it is greeted again, in milliseconds. */
  readonly greetEveryMs?: number;
}

/**
 * `loading`: it still reads its file. `stranger`: somebody answers, but not the acceptor that is meant. `unfit`: as it is set up it would lose what it promised or accepted.
 * `replicated`: a Redis Cluster with replicas, see `REPLICATED`.
 */
export type LinkState = 'unreachable' | 'loading' | 'ready' | 'stranger' | 'unfit' | 'replicated';
/** @param remark why it is unfit, or what an operator should know of one that is ready */
export type OnState = (state: LinkState, remark?: string) => void;
