import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { RecordedOperation, Violation } from '../checkers/history.js';
import { historyFiles } from '../histories/history-files.js';
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

/** Writes the history for other checkers. @returns a line for each key: its file, or why there is none */
export function writeHistories(file: string, history: readonly RecordedOperation[]): string[] {
  return historyFiles(file, history).map(({ file: name, text, why }) => {
    if (text === undefined) return `${name} was not written: ${String(why)}`;
    writeFileSync(name, text);
    return `The history of a key is in ${name}`;
  });
}
