import { type Case, caseName, DEMO_CLIENT, INCREMENTS, ONE_KEY, READS } from './cases.js';
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
  const stopped = results.stopped.find(({ of }) => isSame(of, INCREMENTS));
  const p99s = ratios(
    (stopped?.stopped ?? []).map(({ operations }) => operations.p99Ms),
    (stopped?.before ?? []).map(({ operations }) => operations.p99Ms),
  );
  return [
    atLeast(1.25, 'reads per second, 64 loops, against etcd', against(results, READS, 'etcd')),
    atLeast(0.75, 'reads per second, 64 loops, against the Express floor', against(results, READS, 'express')),
    atLeast(1.4, 'increments per second, 64 loops on 10,000 keys, against etcd', against(results, INCREMENTS, 'etcd')),
    atMost(
      1.6,
      'CPU time of all servers for an increment, against two requests to the Express floor',
      against(results, INCREMENTS, 'express', cpuMsForOperation),
    ),
    atLeast(1.2, 'increments per second, 3 loops on 9 keys, against etcd', against(results, DEMO_CLIENT, 'etcd')),
    atLeast(2, 'increments per second, 8 loops on one key, against etcd', against(results, ONE_KEY, 'etcd')),
    atMost(0.1, 'increments that fail for another reason than a true version mismatch, 64 loops on 10,000 keys', share, '%'),
    atMost(2, 'p99 with one acceptor stopped (SIGSTOP), against p99 before', p99s),
    pauseGoal(results),
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

/** The longest of all counts here, and not the middle. */
function pauseGoal({ pauses }: Results): Goal {
  const kills = pauses.filter(({ fault }) => fault === 'kill');
  const measured = spreadOf(kills.filter(({ system }) => system === 'caspaxos').flatMap(({ pausesMs }) => pausesMs));
  const peers = kills.filter(({ system }) => system === 'etcd').map(({ pausesMs }) => pausesMs);
  // A round of etcd is as long as the longest pause in it, whichever node was killed; its best round is the one to beat.
  const roundsMs = (peers[0] ?? []).map((_, round) => Math.max(...peers.map((pausesMs) => pausesMs[round] ?? Infinity)));
  const limitMs = Math.min(PAUSE_LIMIT_MS, ...roundsMs);
  const best = roundsMs.length === 0 ? '' : `, and etcd's best (${Math.round(Math.min(...roundsMs))} ms)`;
  return {
    what: 'longest pause after kill -9 of any acceptor or proposer, for clients that try the other proposer',
    limit: `at most ${PAUSE_LIMIT_MS} ms${best}`,
    measured,
    isMet: measured && measured.most <= limitMs,
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
  const figures = (system: SystemName): number[] => roundsOf(results, of, system).map((round) => figure(of, round));
  return ratios(figures('caspaxos'), figures(peer));
}

export function roundsOf({ cases }: Pick<Results, 'cases'>, of: Case, system: SystemName): readonly Round[] {
  return cases.find((figures) => isSame(figures.of, of))?.rounds[system] ?? [];
}

/** Operations; of increments, those that took effect. */
function served({ mix }: Case, { seen }: Round): number {
  return mix === 'increments' ? seen.writes : seen.operations.count;
}

export function perSecond(of: Case, round: Round): number {
  return served(of, round) / round.seen.seconds;
}

/** @param kind of server; all of them where it is undefined */
export function cpuMsForOperation(of: Case, round: Round, kind?: string): number {
  const kinds = Object.entries(round.cpuMs).filter(([name]) => kind === undefined || name === kind);
  return kinds.reduce((sum, [, cpuMs]) => sum + cpuMs, 0) / served(of, round);
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
