import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Violation } from '../checkers/history.js';
import type { SetsSpan } from './availability.js';
import type { ChaosSettings } from './settings.js';
import type { Evidence } from './verdict.js';

/**
 * Writes what a run left, JSON lines: the run, its faults and the acceptors' sets first, then an operation in each line.
 * @returns the path of the file
 */
export function saveEvidence(
  settings: ChaosSettings,
  evidence: Evidence,
  sets: readonly SetsSpan[],
  violations: readonly Violation[],
): string {
  const { history, finals, faults, stalls, silent, untold, failures } = evidence;
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'caspaxos-chaos-')), `history-${settings.seed}.jsonl`);
  const { collectedFrom } = history;
  const run = {
    ...settings,
    collectedFrom,
    violations,
    silent,
    untold,
    failures,
    finals: Object.fromEntries(finals),
    faults,
    stalls,
    sets,
  };
  writeFileSync(file, [run, ...history.operations].map((line) => `${JSON.stringify(line)}\n`).join(''));
  return file;
}
