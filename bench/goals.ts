import { type Case, caseName, DEMO_ADDS, DEMO_CLIENT, INCREMENTS, ONE_KEY, ONE_KEY_ADDS, READS, SHARE_OF_READS } from './cases.js';
import type { Seen } from './load/load.js';
import type { Results } from './results.js';
import type { Round } from './rounds.js';
import { ratios, type Spread, spreadOf } from './statistics.js';
import type { SystemName } from './systems/system.js';

/** What the project set out to reach, beside what was measured. */
export interface Goal {
  readonly what: string;
  /** As text: `at least 1.25`. */
  readonly limit: string;
  /** Undefined where it was not measured. */
  readonly measured: Spread | undefined;
  readonly isMet: boolean | undefined;
  readonly unit: '' | '%' | ' ms';
  /** Which of them is held against the limit. */
  readonly counts: 'median' | 'most';
}

const PAUSE_LIMIT_MS = 100;

export function goalsOf(results: Results): Goal[] {
  const { keys: grown, page } = results;
  const many = (grown?.many ?? 1_000_000).toLocaleString('en-US');
  const rate = (round: Round): number => perSecond(INCREMENTS, round);
  const share = roundsOf(results, INCREMENTS, 'caspaxos').map((round) => 100 * shareOfFailures(round));
  const cost = (of: Case, peer: SystemName): number[] => against(results, of, peer, cpuMsForOperation);
  return [
    atMost(0.8, 'CPU of all servers for an increment, 64 loops on 10,000 keys, against ZooKeeper', cost(INCREMENTS, 'zookeeper')),
    atMost(0.85, 'CPU of all servers for a read, 64 loops, against etcd', cost(READS, 'etcd')),
    atLeast(1.2, 'increments per second, 64 loops on 10,000 keys, against ZooKeeper', against(results, INCREMENTS, 'zookeeper')),
    atLeast(0.95, 'increments per second, 3 loops on 9 keys, against ZooKeeper', against(results, DEMO_CLIENT, 'zookeeper')),
    atLeast(
      1.5,
      'by a change function per second, 3 loops on 9 keys, against increments of ZooKeeper',
      against(results, DEMO_ADDS, 'zookeeper'),
    ),
    atLeast(1.2, 'increments per second, 8 loops on one key, against ZooKeeper', against(results, ONE_KEY, 'zookeeper')),
    atLeast(
      5,
      'by a change function per second, 8 loops on one key, against increments of ZooKeeper',
      against(results, ONE_KEY_ADDS, 'zookeeper'),
    ),
    atMost(0.7, 'CPU of all servers for an increment, 64 loops on 10,000 keys, against the build before', cost(INCREMENTS, 'before')),
    atMost(0.75, 'CPU of all servers for an increment, 3 loops on 9 keys, against the build before', cost(DEMO_CLIENT, 'before')),
    atMost(0.8, 'CPU of all servers for a read, 64 loops, against the build before', cost(READS, 'before')),
    atLeast(1.35, 'increments per second, 64 loops on 10,000 keys, against the build before', against(results, INCREMENTS, 'before')),
    atMost(0.1, 'increments that fail for another reason than a true version mismatch, 64 loops on 10,000 keys', share, '%'),
    pauseGoal(results),
    atMost(1.5, 'p99 of increments with one acceptor stopped (SIGSTOP), against p99 before', stoppedAgainstBefore(results, INCREMENTS)),
    atMost(1.5, 'p99 of reads with one acceptor stopped (SIGSTOP), against p99 before', stoppedAgainstBefore(results, READS)),
    atMost(100, `MiB that a proposer holds more after ${many} keys than after 1,000`, grown ? [grown.manyMib - grown.fewMib] : []),
    atLeast(
      0.8,
      `increments per second on ${many} keys, against 1,000`,
      ratios((grown?.onMany ?? []).map(rate), (grown?.onFew ?? []).map(rate)),
    ),
    atLeast(
      0.97,
      "increments per second with the control node's page open, against none",
      ratios((page?.one ?? []).map(rate), (page?.none ?? []).map(rate)),
    ),
    atLeast(
      0.97,
      'increments per second with ten pages open, against one',
      ratios((page?.ten ?? []).map(rate), (page?.one ?? []).map(rate)),
    ),
  ];
}

function stoppedAgainstBefore(results: Results, of: Case): number[] {
  const found = results.stopped.find((figures) => isSame(figures.of, of));
  const p99s = (seen: readonly Seen[] = []): number[] => seen.map(({ operations }) => operations.p99Ms);
  return ratios(p99s(found?.stopped), p99s(found?.before));
}

/** The longest of all counts here, and not the middle. */
function pauseGoal({ pauses }: Results): Goal {
  const own = pauses.filter(({ system, node, fault }) => system === 'caspaxos' && node.startsWith('acceptor') && fault !== 'none');
  const measured = spreadOf(own.flatMap(({ pausesMs }) => pausesMs));
  return {
    what: 'longest pause after kill -9 or SIGSTOP of any acceptor',
    limit: `at most ${PAUSE_LIMIT_MS} ms`,
    measured,
    isMet: measured && measured.most <= PAUSE_LIMIT_MS,
    unit: ' ms',
    counts: 'most',
  };
}

function atLeast(limit: number, what: string, figures: readonly number[]): Goal {
  const measured = spreadOf(figures);
  return { what, limit: `at least ${limit}`, measured, isMet: measured && measured.median >= limit, unit: '', counts: 'median' };
}

function atMost(limit: number, what: string, figures: readonly number[], unit: '' | '%' = ''): Goal {
  const measured = spreadOf(figures);
  return { what, limit: `at most ${limit}${unit}`, measured, isMet: measured && measured.median <= limit, unit, counts: 'median' };
}

function against(results: Results, of: Case, peer: SystemName, figure = perSecond): number[] {
  const side = results.cases.find(({ of: other, rounds }) => isSame(other, of) && rounds[peer])?.rounds;
  const figures = (rounds: readonly Round[] = []): number[] => rounds.map((round) => figure(of, round));
  return ratios(figures(side?.caspaxos), figures(side?.[peer]));
}

export function roundsOf({ cases }: Pick<Results, 'cases'>, of: Case, system: SystemName): readonly Round[] {
  return cases.find((figures) => isSame(figures.of, of))?.rounds[system] ?? [];
}

/** Operations; of increments, those that took effect. */
function served({ mix }: Case, { seen }: Round): number {
  return SHARE_OF_READS[mix] === 0 ? seen.writes : seen.operations.count;
}

export function perSecond(of: Case, round: Round): number {
  return served(of, round) / round.seen.seconds;
}

/** @param kind of server; all of them where it is undefined */
export function cpuMsForOperation(of: Case, round: Round, kind?: string): number {
  const kinds = Object.entries(round.cpuMs).filter(([name]) => kind === undefined || name === kind);
  return kinds.reduce((sum, [, cpuMs]) => sum + cpuMs, 0) / served(of, round);
}

/** System calls that write, to sockets and to files. @param kind of server */
export function writesForOperation(of: Case, round: Round, kind: string): number {
  return (round.writes[kind] ?? NaN) / served(of, round);
}

/** From 0 to 1, of all operations. */
export function shareOfFailures({ seen }: Round): number {
  const failures = seen.networkErrors + Object.values(seen.otherAnswers).reduce((sum, times) => sum + times, 0);
  return failures / (failures + seen.operations.count);
}

/** From 0 to 1, of the writes that were answered. */
export function shareOfMismatches({ seen }: Round): number {
  return seen.mismatches / (seen.writes + seen.mismatches);
}

function isSame(a: Case, b: Case): boolean {
  return caseName(a) === caseName(b);
}
