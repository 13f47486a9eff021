import type { Protocol } from './stores.js';
import type { Seen } from './load.js';

/** What a load process is to do; sent to it as its first message. */
export interface Job {
  readonly protocol: Protocol;
  /** `host:port` of each node. */
  readonly addresses: readonly string[];
  readonly clients: number;
  readonly keys: number;
  /** Keys are this and a number, from `firstKey` on. */
  readonly keyPrefix: string;
  readonly firstKey: number;
  readonly shareOfReads: number;
  /** Increments by a change function, where the store has one. */
  readonly adds: boolean;
  readonly fallsOver: boolean;
  /** Each key goes to one node, as with `--affinity` of the demo's client. */
  readonly affinity: boolean;
  /** What each value has beside its count, in bytes; 0: a bare number. */
  readonly padding: number;
  /** Only writes each key that does not exist yet, once. */
  readonly fillsOnly: boolean;
}

/** Each is answered by one {@link JobAnswer}. */
export type Question = 'look' | 'stop';

/** `seen` is missing where the process has begun, has filled, or has stopped. */
export interface JobAnswer {
  readonly seen?: Seen;
  /** The processor time of the load process itself, since it began. */
  readonly cpuMs: number;
}
