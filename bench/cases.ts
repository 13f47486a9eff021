import type { SystemName } from './systems/system.js';

/** `adds`: increments by a change function, where the system has one; else by a read and a write. */
export const MIXES = ['reads', 'mostly-reads', 'increments', 'adds'] as const;
export type Mix = (typeof MIXES)[number];

/** From 0 to 1; what is no read is an increment. */
export const SHARE_OF_READS: Readonly<Record<Mix, number>> = { reads: 1, 'mostly-reads': 0.9, increments: 0, adds: 0 };

/** What the clients do. */
export interface Case {
  readonly mix: Mix;
  /** Closed loops: each sends its next request when the last was answered. */
  readonly clients: number;
  readonly keys: number;
  /** What each value has beside its count, in bytes. */
  readonly padding: number;
}

/** With whom it is measured. */
export interface PlannedCase {
  readonly of: Case;
  readonly systems: readonly SystemName[];
}

const MANY_KEYS = 10_000;
const LARGE = 4096;
const FLOORS: readonly SystemName[] = ['express', 'redis'];
/** On fewer, clients meet: a bare Redis would refuse most of them, and the Express floor do the same again. */
const FLOOR_KEYS = 1_000;

export const READS: Case = { mix: 'reads', clients: 64, keys: MANY_KEYS, padding: 0 };
export const INCREMENTS: Case = { ...READS, mix: 'increments' };
/** What the demo's own client does. */
export const DEMO_CLIENT: Case = { ...INCREMENTS, clients: 3, keys: 9 };
export const ONE_KEY: Case = { ...INCREMENTS, clients: 8, keys: 1 };

/** What the goals are about, with those that they need. */
export const GOAL_CASES: readonly PlannedCase[] = [
  { of: READS, systems: ['caspaxos', 'etcd', 'express'] },
  { of: INCREMENTS, systems: ['caspaxos', 'etcd', 'express'] },
  { of: DEMO_CLIENT, systems: ['caspaxos', 'etcd'] },
  { of: ONE_KEY, systems: ['caspaxos', 'etcd'] },
];

/** Each mix with more and fewer clients, fewer keys, and larger values than in the cases of the goals; not everything with everything. */
export const ALL_CASES: readonly PlannedCase[] = planned([
  ...MIXES.flatMap((mix) => [1, 8, 64, 256].map((clients) => ({ ...READS, mix, clients }))),
  ...MIXES.flatMap((mix) => [1, 9].map((keys) => ({ ...READS, mix, keys }))),
  ...MIXES.map((mix) => ({ ...READS, mix, padding: LARGE })),
  DEMO_CLIENT,
  ONE_KEY,
]);

/** The floors take part where keys are many and values small; affinity tells where something is written. */
export function planned(cases: readonly Case[]): PlannedCase[] {
  return cases.map((of) => {
    const isForFloors = of.keys >= FLOOR_KEYS && of.padding === 0;
    const ours: readonly SystemName[] = of.mix === 'increments' || of.mix === 'adds' ? ['caspaxos', 'affinity'] : ['caspaxos'];
    return { of, systems: [...ours, 'etcd', ...(isForFloors ? FLOORS : [])] };
  });
}

/** As a line of a table names it. */
export function caseName({ mix, clients, keys, padding }: Case): string {
  const what = { reads: 'reads', 'mostly-reads': '90% reads', increments: 'increments', adds: 'adds' }[mix];
  const loops = clients === 1 ? '1 loop' : `${clients} loops`;
  const on = keys === 1 ? 'one key' : `${keys.toLocaleString('en-US')} keys`;
  return `${what}, ${loops}, ${on}${padding === 0 ? '' : `, ${padding / 1024} KiB`}`;
}
