import type { SystemName } from './systems/system.js';

export type Mix = 'reads' | 'mostly-reads' | 'increments';

/** From 0 to 1; what is no read is an increment. */
export const SHARE_OF_READS: Readonly<Record<Mix, number>> = { reads: 1, 'mostly-reads': 0.9, increments: 0 };

/** What the clients do, and against whom it is measured. */
export interface Case {
  readonly mix: Mix;
  /** Closed loops: each sends its next request when the last was answered. */
  readonly clients: number;
  readonly keys: number;
  /** What each value has beside its count, in bytes. */
  readonly padding: number;
}

export const READS: Case = { mix: 'reads', clients: 64, keys: 10_000, padding: 0 };
export const INCREMENTS: Case = { ...READS, mix: 'increments' };
/** What the demo's own client does. */
export const DEMO_CLIENT: Case = { ...INCREMENTS, clients: 3, keys: 9 };
export const ONE_KEY: Case = { ...INCREMENTS, clients: 8, keys: 1 };

/** What the goals are about, and the systems that they need. */
export const GOAL_CASES: ReadonlyMap<Case, readonly SystemName[]> = new Map([
  [READS, ['caspaxos', 'etcd', 'express']],
  [INCREMENTS, ['caspaxos', 'etcd', 'express']],
  [DEMO_CLIENT, ['caspaxos', 'etcd']],
  [ONE_KEY, ['caspaxos', 'etcd']],
]);

/** As a line of a table names it. */
export function caseName({ mix, clients, keys, padding }: Case): string {
  const what = { reads: 'reads', 'mostly-reads': '90% reads', increments: 'increments' }[mix];
  const loops = clients === 1 ? '1 loop' : `${clients} loops`;
  const on = keys === 1 ? 'one key' : `${keys.toLocaleString('en-US')} keys`;
  return `${what}, ${loops}, ${on}${padding === 0 ? '' : `, ${padding / 1024} KiB`}`;
}
