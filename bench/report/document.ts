import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { format } from 'oxfmt';
import { layoutFrom } from '../../local/layout.js';
import type { Results } from '../results.js';
import * as tables from './tables.js';

const DOCUMENT = 'docs/benchmarks.md';

/** Puts the figures between the marks of the document, where the words around them stay, and the figures of what was not measured. */
export async function writeDocument(results: Results): Promise<void> {
  const file = path.join(layoutFrom({}).root, DOCUMENT);
  const markdown = withFigures(readFileSync(file, 'utf8'), results);
  const { code } = await format(file, markdown);
  writeFileSync(file, code);
}

/** @throws an error for a mark that has no figures */
export function withFigures(markdown: string, results: Results): string {
  const sections = sectionsOf(results);
  return markdown.replace(/(<!-- figures: (\w+) -->).*?(<!-- end -->)/gs, (all, begin: string, name: string, end: string) => {
    const section = sections[name];
    if (section === '') return all;
    if (section === undefined) throw new Error(`${DOCUMENT} asks for figures that there are none of: ${name}`);
    return `${begin}\n\n${section}\n\n${end}`;
  });
}

function sectionsOf(results: Results): Record<string, string> {
  const { machine, rounds, seconds } = results;
  const { cores, processor, memoryGib, kernel, syncMs, loadAverage } = machine;
  return {
    goals: table(tables.goalRows(results)),
    machine: [
      `${cores} cores (${processor}), ${memoryGib} GiB of memory, ${kernel}. A write of 4 KiB is on the disk after`,
      `${tables.figure(syncMs.p50)} ms (p50) to ${tables.figure(syncMs.p99)} ms (p99). ${tables.versionsOf(results)}.`,
      `Each figure is the median of ${rounds} rounds of ${seconds} s, with the least and the most. The load average before was ${tables.figure(loadAverage)}.`,
    ].join('\n'),
    cases: table(tables.caseRows(results)),
    pairs: table(tables.pairRows(results)),
    affinity: table(tables.affinityRows(results)),
    faults: table(tables.faultRows(results)),
    stopped: table(tables.stoppedRows(results)),
    wan: table(tables.wanRows(results.wan)),
    keys: table(tables.keysRows(results.keys)),
    page: table(tables.pageRows(results.page)),
  };
}

/** "" where there are no figures. */
function table([heads, ...rows]: tables.Rows): string {
  if (!heads) return '';
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}
