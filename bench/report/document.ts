import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';
import { layoutFrom } from '../../local/layout.js';
import { type Case, INCREMENTS, READS } from '../cases.js';
import { perSecond, roundsOf } from '../goals.js';
import type { Results } from '../results.js';
import { spreadOf } from '../statistics.js';
import type { SystemName } from '../systems/system.js';
import { type Bar, type Plot, svg } from './plot.js';
import {
  affinityRows,
  caseRows,
  faultRows,
  figure,
  goalRows,
  keysRows,
  pageRows,
  type Rows,
  stoppedRows,
  TITLES,
  versionsOf,
} from './tables.js';

const DOCUMENT = 'docs/benchmarks.md';
const SYSTEMS: readonly SystemName[] = ['caspaxos', 'etcd', 'express', 'redis'];

/** Puts the figures between the marks of the document, where the words around them stay, and draws the plots beside it. */
export async function writeDocument(results: Results): Promise<void> {
  const { root } = layoutFrom({});
  const file = path.join(root, DOCUMENT);
  const markdown = withFigures(readFileSync(file, 'utf8'), results);
  writeFileSync(file, await format(markdown, { ...(await resolveConfig(file)), parser: 'markdown' }));
  for (const [name, plot] of Object.entries(plotsOf(results))) writeFileSync(path.join(root, `docs/benchmarks-${name}.svg`), svg(plot));
}

/** @throws an error for a mark that has no figures */
export function withFigures(markdown: string, results: Results): string {
  const sections = sectionsOf(results);
  return markdown.replace(/(<!-- figures: (\w+) -->).*?(<!-- end -->)/gs, (_all, begin: string, name: string, end: string) => {
    const section = sections[name];
    if (section === undefined) throw new Error(`${DOCUMENT} asks for figures that there are none of: ${name}`);
    return `${begin}\n\n${section}\n\n${end}`;
  });
}

function sectionsOf(results: Results): Record<string, string> {
  const { machine, rounds, seconds } = results;
  const { cores, processor, memoryGib, kernel, syncMs } = machine;
  return {
    goals: table(goalRows(results)),
    machine: [
      `${cores} cores (${processor}), ${memoryGib} GiB of memory, ${kernel}. A write of 4 KiB is on the disk after`,
      `${figure(syncMs.p50)} ms (p50) to ${figure(syncMs.p99)} ms (p99). ${versionsOf(results)}.`,
      `Each figure is the median of ${rounds} rounds of ${seconds} s, with the least and the most.`,
    ].join('\n'),
    cases: table(caseRows(results)),
    affinity: table(affinityRows(results)),
    faults: table(faultRows(results)),
    stopped: table(stoppedRows(results)),
    keys: table(keysRows(results.keys)),
    page: table(pageRows(results.page)),
  };
}

function table([heads, ...rows]: Rows): string {
  if (!heads) return 'Not measured in this run.';
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}

/** By the last part of the file's name. */
export function plotsOf(results: Results): Record<string, Plot> {
  const byClients = (title: string, base: Case): Plot => ({
    title,
    groups: [1, 8, 64, 256].flatMap((clients) => {
      const bars = SYSTEMS.flatMap((system) => barsOf(results, { ...base, clients }, system));
      return bars.length === 0 ? [] : [{ name: clients === 1 ? '1 loop' : `${clients} loops`, bars }];
    }),
  });
  const plots = {
    reads: byClients('Linearizable reads per second on 10,000 keys', READS),
    increments: byClients('Increments (a read and a compare-and-set) per second on 10,000 keys', INCREMENTS),
    pauses: pausePlot(results),
  };
  return Object.fromEntries(Object.entries(plots).filter(([, { groups }]) => groups.length > 0));
}

function barsOf(results: Results, of: Case, system: SystemName): Bar[] {
  const spread = spreadOf(roundsOf(results, of, system).map((round) => perSecond(of, round)));
  return spread ? [{ series: TITLES[system], spread, text: figure(spread.median) }] : [];
}

function pausePlot({ pauses }: Results): Plot {
  const groups = pauses
    .filter(({ fault }) => fault === 'kill')
    .flatMap(({ system, node, pausesMs }) => {
      const spread = spreadOf(pausesMs);
      return spread ? [{ name: node, bars: [{ series: TITLES[system], spread, text: `${figure(spread.median)} ms` }] }] : [];
    });
  return { title: 'Longest pause of a client after kill -9 of a node, in milliseconds', groups };
}
