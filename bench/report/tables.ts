import { formatTable } from '../../node-control/terminal/report.js';
import { caseName, INCREMENTS } from '../cases.js';
import { cpuMsForOperation, type Goal, goalsOf, perSecond, shareOfFailures, shareOfMismatches } from '../goals.js';
import type { KeysFigures } from '../million-keys.js';
import type { PageFigures } from '../page-cost.js';
import type { Results } from '../results.js';
import type { CaseFigures, Round } from '../rounds.js';
import { ratios, type Spread, spreadOf } from '../statistics.js';
import type { SystemName } from '../systems/system.js';

/** The first row names the columns. Empty: nothing of this kind was measured. */
export type Rows = readonly (readonly string[])[];

/** As people call them. */
export const TITLES: Readonly<Record<SystemName, string>> = {
  caspaxos: 'this cluster',
  affinity: 'with affinity',
  etcd: 'etcd',
  express: 'Express floor',
  redis: 'Redis floor',
};

/** All figures, for a terminal. */
export function linesFor(results: Results): string[] {
  const tables = [
    caseRows(results),
    affinityRows(results),
    faultRows(results),
    stoppedRows(results),
    keysRows(results.keys),
    pageRows(results.page),
    goalRows(results),
  ];
  const shown = tables.filter((rows) => rows.length > 0).map((rows) => ['', ...formatTable(upperCaseHeads(rows))]);
  return [versionsOf(results), ...shown.flat()];
}

export function versionsOf({ versions: { node, express, redis, etcd } }: Results): string {
  return `Node ${node}, Express ${express}, ${redis}, ${etcd === undefined ? 'no etcd (it was not found)' : `etcd ${etcd}`}`;
}

export function goalRows(results: Results): Rows {
  return [['goal', 'limit', 'measured', 'from … to', 'met'], ...goalsOf(results).map(goalRow)];
}

function goalRow({ what, limit, measured, isMet, unit, counts }: Goal): string[] {
  if (!measured) return [what, limit, '', '', 'not measured'];
  return [what, limit, figure(measured[counts]) + unit, range(measured), isMet === true ? 'yes' : 'NO'];
}

export function caseRows({ cases }: Results): Rows {
  const heads = [
    'case',
    'system',
    'per second',
    'from … to',
    'cluster against it',
    'p50 ms',
    'p99 ms',
    'CPU µs',
    'too late',
    'failed',
    'load CPU',
  ];
  return cases.length === 0 ? [] : [heads, ...cases.flatMap(rowsOfCase)];
}

function rowsOfCase({ of, rounds }: CaseFigures): string[][] {
  const rate = (round: Round): number => perSecond(of, round);
  const own = (rounds.caspaxos ?? []).map(rate);
  return Object.entries(rounds).map(([name, those], at) => {
    const middle = (what: (round: Round) => number): string => median(spreadOf(those.map(what)));
    const percent = (what: (round: Round) => number): string => `${middle((round) => 100 * what(round))}%`;
    const against = name === 'caspaxos' ? undefined : spreadOf(ratios(own, those.map(rate)));
    const kinds = Object.keys(those[0]?.cpuMs ?? {});
    const parts =
      kinds.length < 2
        ? []
        : [`(${kinds.map((kind) => `${kind}s ${middle((round) => 1_000 * cpuMsForOperation(of, round, kind))}`).join(', ')})`];
    return [
      ...[at === 0 ? caseName(of) : '', TITLES[name as SystemName], middle(rate), range(spreadOf(those.map(rate)))],
      against ? `${median(against)} (${range(against)})` : '',
      ...[middle(({ seen }) => seen.operations.p50Ms), middle(({ seen }) => seen.operations.p99Ms)],
      [middle((round) => 1_000 * cpuMsForOperation(of, round)), ...parts].join(' '),
      of.mix === 'reads' ? '' : percent(shareOfMismatches),
      percent(shareOfFailures),
      percent(({ seen, loadCpuMs }) => loadCpuMs / 1_000 / seen.seconds),
    ];
  });
}

/** What clients gain that send each key to one proposer, over those that do not. */
export function affinityRows({ cases }: Results): Rows {
  const rows = cases.flatMap(({ of, rounds: { caspaxos = [], affinity = [] } }) => {
    const rate = (round: Round): number => perSecond(of, round);
    const gain = spreadOf(ratios(affinity.map(rate), caspaxos.map(rate)));
    const late = [caspaxos, affinity].map((rounds) => `${median(spreadOf(rounds.map((round) => 100 * shareOfMismatches(round))))}%`);
    const rates = [caspaxos, affinity].map((rounds) => median(spreadOf(rounds.map(rate))));
    return gain ? [[caseName(of), ...rates, `${median(gain)} (${range(gain)})`, ...late]] : [];
  });
  return rows.length === 0 ? [] : [['per second', 'any proposer', 'one for each key', 'gain', 'too late, any', 'too late, one'], ...rows];
}

export function faultRows({ pauses }: Results): Rows {
  const rows = pauses.map(({ system, node, fault, pausesMs }) => {
    const spread = spreadOf(pausesMs);
    return [{ none: 'none', kill: 'kill -9', pause: 'SIGSTOP' }[fault], TITLES[system], node, median(spread), range(spread)];
  });
  return rows.length === 0 ? [] : [['fault', 'system', 'node', 'longest pause, ms', 'from … to'], ...rows];
}

export function stoppedRows({ stopped }: Results): Rows {
  const rows = stopped.map(({ of, before, stopped: during }) => {
    const [usual, then] = [before, during].map((seen) => seen.map(({ operations }) => operations.p99Ms));
    const against = spreadOf(ratios(then ?? [], usual ?? []));
    return [caseName(of), median(spreadOf(usual ?? [])), median(spreadOf(then ?? [])), `${median(against)} (${range(against)})`];
  });
  return rows.length === 0 ? [] : [['p99 while an acceptor is stopped', 'before, ms', 'then, ms', 'against before'], ...rows];
}

export function keysRows(keys: KeysFigures | undefined): Rows {
  if (!keys) return [];
  const rate = (rounds: readonly Round[]): string => median(spreadOf(rounds.map(({ seen }) => seen.writes / seen.seconds)));
  const count = (number: number): string => `${number.toLocaleString('en-US')} keys`;
  return [
    ['one proposer', 'MiB that it holds', 'increments per second'],
    [count(keys.few), figure(keys.fewMib), rate(keys.onFew)],
    [count(keys.many), figure(keys.manyMib), rate(keys.onMany)],
  ];
}

/** What open pages of the control node take from the clients. */
export function pageRows(page: PageFigures | undefined): Rows {
  if (!page) return [];
  const against = (figure: (round: Round) => number, rounds: readonly Round[]): string => {
    const spread = spreadOf(ratios(rounds.map(figure), page.none.map(figure)));
    return `${median(spread)} (${range(spread)})`;
  };
  const rate = (round: Round): number => perSecond(INCREMENTS, round);
  const cost = (round: Round): number => cpuMsForOperation(INCREMENTS, round);
  const row = (name: string, rounds: readonly Round[]): string[] => [
    ...[name, median(spreadOf(rounds.map(rate))), rounds === page.none ? '' : against(rate, rounds)],
    ...[median(spreadOf(rounds.map((round) => 1_000 * cost(round)))), rounds === page.none ? '' : against(cost, rounds)],
    `${median(spreadOf(rounds.map(({ cpuMs, seen }) => (cpuMs['control'] ?? NaN) / seen.seconds / 10)))}%`,
  ];
  return [
    ['pages open', 'increments per second', 'against none', 'CPU µs for one, all servers', 'against none', 'CPU of the control node'],
    row('none', page.none),
    row('one', page.one),
    row('ten', page.ten),
  ];
}

function upperCaseHeads([heads = [], ...rows]: Rows): Rows {
  return [heads.map((head) => head.toUpperCase()), ...rows];
}

function median(spread: Spread | undefined): string {
  return spread ? figure(spread.median) : '';
}

function range(spread: Spread | undefined): string {
  return spread ? `${figure(spread.least)} … ${figure(spread.most)}` : '';
}

/** Three digits that count, or all before the point. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '?';
  const before = Math.floor(Math.log10(Math.max(1, Math.abs(value)))) + 1;
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.max(0, 3 - before) });
}
