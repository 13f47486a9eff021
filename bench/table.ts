import { formatTable } from '../node-control/table.js';
import { caseName } from './cases.js';
import { cpuMsForWrite, type Goal, goalsOf, shareOfFailures } from './goals.js';
import type { Results } from './results.js';
import type { Round } from './rounds.js';
import { type Spread, spreadOf } from './statistics.js';
import type { SystemName } from './systems/system.js';

/** As people call them. */
export const TITLES: Readonly<Record<SystemName, string>> = {
  caspaxos: 'this cluster',
  etcd: 'etcd',
  express: 'Express floor',
  redis: 'Redis floor',
};

/** All figures, for a terminal. */
export function tables(results: Results): string[] {
  const { node, express, redis, etcd } = results.versions;
  return [
    `Node ${node}, Express ${express}, Redis ${redis}, ${etcd === undefined ? 'no etcd: left out' : `etcd ${etcd}`}`,
    ...['', ...formatTable(caseRows(results)), ''],
    ...[...formatTable(pauseRows(results)), ''],
    ...formatTable(goalRows(results)),
  ];
}

export function goalRows(results: Results): string[][] {
  return [['GOAL', 'LIMIT', 'MEASURED', 'LEAST TO MOST', 'MET'], ...goalsOf(results).map(goalRow)];
}

function goalRow({ what, limit, measured, isMet, unit }: Goal): string[] {
  if (!measured) return [what, limit, '', '', 'not measured'];
  const shown = unit === ' ms' ? measured.most : measured.median;
  return [what, limit, figure(shown) + unit, range(measured), isMet === true ? 'yes' : 'NO'];
}

export function caseRows({ cases }: Results): string[][] {
  const heads = ['CASE', 'SYSTEM', 'PER SECOND', 'LEAST TO MOST', 'P50 MS', 'P99 MS', 'CPU US', 'LOAD CPU', 'FAILED'];
  const rows = cases.flatMap(({ of, rounds }) =>
    Object.entries(rounds).map(([system, those], at) => {
      const perSecond = spreadOf(those.map((round) => served(round, of.mix === 'increments')));
      return [
        at === 0 ? caseName(of) : '',
        TITLES[system as SystemName],
        ...[middle(perSecond), perSecond ? range(perSecond) : ''],
        ...[middleOf(those, ({ seen }) => seen.operations.p50Ms), middleOf(those, ({ seen }) => seen.operations.p99Ms)],
        middleOf(
          those,
          (round) => 1_000 * (of.mix === 'increments' ? cpuMsForWrite(round) : round.serverCpuMs / round.seen.operations.count),
        ),
        `${middleOf(those, ({ loadCpuMs, seen }) => loadCpuMs / 10 / seen.seconds)}%`,
        `${middleOf(those, (round) => 100 * shareOfFailures(round))}%`,
      ];
    }),
  );
  return [heads, ...rows];
}

export function pauseRows({ pauses, stopped }: Results): string[][] {
  return [
    ['FAULT', 'SYSTEM', 'LONGEST PAUSE MS', 'LEAST TO MOST'],
    ...pauses.map(({ system, node, fault, pausesMs }) => {
      const pause = spreadOf(pausesMs);
      return [`${fault} ${node}`, TITLES[system], middle(pause), pause ? range(pause) : ''];
    }),
    ...stopped.flatMap(({ of, before, stopped: during }) => [
      [`${caseName(of)}: p99 before`, TITLES.caspaxos, middle(spreadOf(before.map(({ operations }) => operations.p99Ms))), ''],
      ['p99 with one acceptor stopped', '', middle(spreadOf(during.map(({ operations }) => operations.p99Ms))), ''],
    ]),
  ];
}

/** Operations that were served, or, of increments, those that took effect. */
function served({ seen }: Round, onlyWrites: boolean): number {
  return (onlyWrites ? seen.writes : seen.operations.count) / seen.seconds;
}

function middleOf(rounds: readonly Round[], of: (round: Round) => number): string {
  return middle(spreadOf(rounds.map(of)));
}

function middle(spread: Spread | undefined): string {
  return spread ? figure(spread.median) : '';
}

function range({ least, most }: Spread): string {
  return `${figure(least)} to ${figure(most)}`;
}

/** Three digits that count, or all before the point. */
function figure(value: number): string {
  if (!Number.isFinite(value)) return '?';
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.max(0, 2 - Math.floor(Math.log10(Math.max(1, value)))) });
}
