import { formatTable } from '../../node-control/terminal/report.js';
import { caseName, INCREMENTS } from '../cases.js';
import { cpuMsForOperation, type Goal, goalsOf, perSecond, shareOfFailures, shareOfMismatches, writesForOperation } from '../goals.js';
import type { KeysFigures } from '../million-keys.js';
import type { PageFigures } from '../page-cost.js';
import type { Results } from '../results.js';
import type { RegionFigures } from '../wan.js';
import type { CaseFigures, Round } from '../rounds.js';
import { ratios, type Spread, spreadOf } from '../statistics.js';
import type { SystemName } from '../systems/system.js';

/** The first row names the columns. Empty: nothing of this kind was measured. */
export type Rows = readonly (readonly string[])[];

/** As people call them. */
export const TITLES: Readonly<Record<SystemName, string>> = {
  caspaxos: 'this cluster',
  affinity: 'with affinity',
  before: 'the build before',
  etcd: 'etcd',
  zookeeper: 'ZooKeeper',
  express: 'Express floor',
  redis: 'Redis floor',
};

/** All figures, for a terminal. */
export function linesFor(results: Results): string[] {
  const tables = [
    caseRows(results),
    pairRows(results),
    affinityRows(results),
    faultRows(results),
    stoppedRows(results),
    wanRows(results.wan),
    keysRows(results.keys),
    pageRows(results.page),
    goalRows(results),
  ];
  const shown = tables.filter((rows) => rows.length > 0).map((rows) => ['', ...formatTable(upperCaseHeads(rows))]);
  return [versionsOf(results), ...shown.flat()];
}

export function versionsOf({ versions: { node, express, redis, etcd, zookeeper } }: Results): string {
  const peers = Object.entries({ etcd, ZooKeeper: zookeeper });
  const told = peers.map(([name, version]) => (version === undefined ? `no ${name} (it was not found)` : `${name} ${version}`));
  return `Node ${node}, Express ${express}, ${redis}, ${told.join(', ')}`;
}

export function goalRows(results: Results): Rows {
  return [['goal', 'limit', 'measured', 'from … to', 'met'], ...goalsOf(results).map(goalRow)];
}

function goalRow({ what, limit, measured, isMet, unit, counts }: Goal): string[] {
  if (!measured) return [what, limit, '', '', 'not measured'];
  return [what, limit, figure(measured[counts]) + unit, range(measured), isMet === true ? 'yes' : 'NO'];
}

/** The servers' CPU comes first: of all figures, what else the machine does changes it least. Two builds have a table of their own. */
export function caseRows({ cases: all }: Results): Rows {
  const cases = all.filter(({ rounds }) => !rounds.before);
  const beside = ['p50 ms', 'p99 ms', 'too late', 'failed', 'load CPU'];
  const heads = ['case', 'system', 'CPU µs', 'cluster against it', 'per second', 'cluster against it', ...beside];
  return cases.length === 0 ? [] : [heads, ...cases.flatMap(rowsOfCase)];
}

function rowsOfCase({ of, rounds }: CaseFigures): string[][] {
  const rate = (round: Round): number => perSecond(of, round);
  const costUs = (round: Round): number => 1_000 * cpuMsForOperation(of, round);
  return Object.entries(rounds).map(([name, those], at) => {
    const middle = (what: (round: Round) => number): string => median(spreadOf(those.map(what)));
    const percent = (what: (round: Round) => number): string => `${middle((round) => 100 * what(round))}%`;
    const against = (what: (round: Round) => number): string =>
      name === 'caspaxos' ? '' : withRange(ratios((rounds.caspaxos ?? []).map(what), those.map(what)));
    const kinds = Object.keys(those[0]?.cpuMs ?? {});
    const parts = kinds.map((kind) => `${kind}s ${middle((round) => 1_000 * cpuMsForOperation(of, round, kind))}`);
    return [
      ...[at === 0 ? caseName(of) : '', TITLES[name as SystemName]],
      ...[`${middle(costUs)}${kinds.length < 2 ? '' : ` (${parts.join(', ')})`}`, against(costUs), middle(rate), against(rate)],
      ...[middle(({ seen }) => seen.operations.p50Ms), middle(({ seen }) => seen.operations.p99Ms)],
      of.mix === 'reads' ? '' : percent(shareOfMismatches),
      percent(shareOfFailures),
      percent(({ seen, loadCpuMs }) => loadCpuMs / 1_000 / seen.seconds),
    ];
  });
}

/** Two builds side by side. */
export function pairRows({ cases }: Results): Rows {
  const rows = cases.flatMap(({ of, rounds: { caspaxos = [], before } }) => {
    // A build that lacks the operation is left out.
    if (!before?.some(({ seen }) => seen.operations.count > 0)) return [];
    const kinds = Object.keys(before[0]?.cpuMs ?? {});
    const figures: Record<string, (round: Round) => number> = {
      'CPU µs, all servers': (round) => 1_000 * cpuMsForOperation(of, round),
      ...Object.fromEntries(kinds.map((kind) => [`CPU µs, ${kind}s`, (round: Round) => 1_000 * cpuMsForOperation(of, round, kind)])),
      ...Object.fromEntries(kinds.map((kind) => [`writes, ${kind}s`, (round: Round) => writesForOperation(of, round, kind)])),
      'operations per second': (round) => perSecond(of, round),
    };
    return Object.entries(figures).map(([name, what], at) => {
      const [now, then] = [caspaxos.map(what), before.map(what)];
      return [at === 0 ? caseName(of) : '', name, median(spreadOf(then)), median(spreadOf(now)), withRange(ratios(now, then))];
    });
  });
  return rows.length === 0 ? [] : [['case', 'for each operation', 'before', 'now', 'now against before'], ...rows];
}

/** What clients gain that send each key to one proposer, over those that do not. */
export function affinityRows({ cases }: Results): Rows {
  const rows = cases.flatMap(({ of, rounds: { caspaxos = [], affinity = [] } }) => {
    const rate = (round: Round): number => perSecond(of, round);
    const gain = ratios(affinity.map(rate), caspaxos.map(rate));
    const late = [caspaxos, affinity].map((rounds) => `${median(spreadOf(rounds.map((round) => 100 * shareOfMismatches(round))))}%`);
    const rates = [caspaxos, affinity].map((rounds) => median(spreadOf(rounds.map(rate))));
    return gain.length === 0 ? [] : [[caseName(of), ...rates, withRange(gain), ...late]];
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
    return [caseName(of), median(spreadOf(usual ?? [])), median(spreadOf(then ?? [])), withRange(ratios(then ?? [], usual ?? []))];
  });
  return rows.length === 0 ? [] : [['p99 while an acceptor is stopped', 'before, ms', 'then, ms', 'against before'], ...rows];
}

/** In round trips to the nearest other region, by the fastest round: whatever else the machine does only adds to them. */
export function wanRows(regions: readonly RegionFigures[] = []): Rows {
  const rows = regions.map(({ region, nearestMs, isHome, tookMs }) => {
    const tripsOf = (samples: readonly number[]): string => {
      const spread = spreadOf(samples);
      return spread ? `${figure(spread.least / nearestMs)} (${figure(spread.median)} ms)` : '';
    };
    const { read, compareAndSet, change } = tookMs;
    return [region, `${nearestMs} ms`, isHome ? 'only here' : 'elsewhere before', ...[read, compareAndSet, change].map(tripsOf)];
  });
  const heads = ['clients in', 'nearest region', 'keys written', 'read', 'compare-and-set', 'change function'];
  return rows.length === 0 ? [] : [heads, ...rows];
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
  const against = (figure: (round: Round) => number, rounds: readonly Round[]): string =>
    withRange(ratios(rounds.map(figure), page.none.map(figure)));
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

function withRange(figures: readonly number[]): string {
  const spread = spreadOf(figures);
  return spread ? `${median(spread)} (${range(spread)})` : '';
}

/** Three digits that count, or all before the point. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '?';
  const before = Math.floor(Math.log10(Math.max(1, Math.abs(value)))) + 1;
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.max(0, 3 - before) });
}
