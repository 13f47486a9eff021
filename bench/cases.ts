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
export const DEMO_ADDS: Case = { ...DEMO_CLIENT, mix: 'adds' };
export const ONE_KEY: Case = { ...INCREMENTS, clients: 8, keys: 1 };
export const ONE_KEY_ADDS: Case = { ...ONE_KEY, mix: 'adds' };

const PEERS: readonly SystemName[] = ['caspaxos', 'zookeeper', 'etcd'];

/** What the goals are about, with those that they need. */
export const GOAL_CASES: readonly PlannedCase[] = [
  ...[INCREMENTS, READS, DEMO_CLIENT, ONE_KEY].map((of) => ({ of, systems: PEERS })),
  // Peers have no change functions: theirs are the same increments as before.
  ...[DEMO_ADDS, ONE_KEY_ADDS].map((of) => ({ of, systems: ['caspaxos', 'zookeeper'] as const })),
];

/** Those of the goals, with more and fewer clients, and with larger values; not everything with everything. */
export const ALL_CASES: readonly PlannedCase[] = planned([
  ...[READS, INCREMENTS].flatMap((of) => [1, 8, 64, 256].map((clients) => ({ ...of, clients }))),
  ...[DEMO_CLIENT, ONE_KEY, DEMO_ADDS, ONE_KEY_ADDS],
  { ...READS, mix: 'mostly-reads' },
  { ...INCREMENTS, mix: 'adds' },
  { ...INCREMENTS, padding: LARGE },
]);

/** The floors take part where keys are many and values small; affinity tells where something is written. */
export function planned(cases: readonly Case[]): PlannedCase[] {
  return cases.map((of) => {
    const isForFloors = of.keys >= FLOOR_KEYS && of.padding === 0;
    const ours: readonly SystemName[] = of.mix === 'increments' || of.mix === 'adds' ? ['caspaxos', 'affinity'] : ['caspaxos'];
    return { of, systems: [...ours, 'zookeeper', 'etcd', ...(isForFloors ? FLOORS : [])] };
  });
}

/** As a line of a table names it. */
export function caseName({ mix, clients, keys, padding }: Case): string {
  const what = { reads: 'reads', 'mostly-reads': '90% reads', increments: 'increments', adds: 'adds' }[mix];
  const loops = clients === 1 ? '1 loop' : `${clients} loops`;
  const on = keys === 1 ? 'one key' : `${keys.toLocaleString('en-US')} keys`;
  return `${what}, ${loops}, ${on}${padding === 0 ? '' : `, ${padding / 1024} KiB`}`;
}
