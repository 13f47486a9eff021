import { checkHistory } from '../checkers/check.js';
import type { History, State, Violation } from '../checkers/history.js';
import { SETTLE_MS, type FaultSpan } from './availability.js';
import type { Repeats } from './client-loop.js';
import type { Migration } from './migration.js';
import type { ToldInSecond } from './timeline.js';

/** All that a run left to judge. */
export interface Evidence {
  readonly history: History;
  readonly finals: ReadonlyMap<string, State>;
  /** What nobody told in the end, although all was mended. */
  readonly untold: readonly string[];
  /** Of the whole run. */
  readonly total: ToldInSecond;
  readonly repeats: Repeats;
  readonly faults: readonly FaultSpan[];
  /** Times in which the disk of the machine held up every write. */
  readonly stalls: readonly FaultSpan[];
  readonly migration: Pick<Migration, 'grown' | 'shrunk' | 'attempts' | 'failures' | 'collections'>;
  readonly seconds: number;
  /** Seconds that had to show a write, and of them those that did not. */
  readonly demanded: number;
  readonly silent: readonly number[];
  /** What kept the run from its proper end. */
  readonly failures: readonly string[];
}

export interface ChaosVerdict {
  readonly lines: readonly string[];
  readonly violations: readonly Violation[];
  readonly ok: boolean;
}

const VIOLATIONS_SHOWN = 10;

export function judge(evidence: Evidence): ChaosVerdict {
  const { history, finals, untold, total, repeats, faults, stalls, migration, seconds, demanded, silent, failures } = evidence;
  const { collections } = migration;
  const violations = checkHistory(history, finals);
  const lines = [
    `operations  ${history.operations.length}: ${total.reads} reads answered, ${total.writes} writes acknowledged, ${total.unknown} writes unknown`,
    `of these    ${countByKind(history.operations.map(({ request }) => request))}`,
    `repeats     ${repeats.unknown} of writes whose outcome was not known, which told that of ${repeats.resolved}; ` +
      `${repeats.known} of others; ${repeats.forgotten} writes forgotten`,
    `collections ${collections.tried}, of which ${collections.done} came to their end; ${collections.removed} registers removed`,
    `faults      ${faults.length}: ${countByKind(faults)}; the machine's own disk stalled ${times(stalls.length)}`,
    `membership  grown to three acceptors ${times(migration.grown)}, shrunk to one ${times(migration.shrunk)}; ` +
      `${migration.attempts} commands, of which ${migration.failures} failed and were repeated`,
    `progress    ${demanded} of ${seconds} seconds had to show a write (quorum and proposer well for it and ${SETTLE_MS / 1_000} s before): ` +
      (silent.length === 0 ? 'all did' : `NO WRITE in ${silent.length}: ${silent.join(', ')}`),
    `history     ${violations.length === 0 ? 'linearizable, nothing lost' : `VIOLATED, ${times(violations.length)}`}`,
    ...violations.slice(0, VIOLATIONS_SHOWN).map(({ rule, key, message }) => `  ${rule}, ${key}: ${message}`),
    ...untold.map((what) => `NOT TOLD    ${what}, although everything was mended`),
    ...failures.map((failure) => `FAILED      ${failure}`),
  ];
  if (demanded === 0) lines.push('NO PROOF    no second had to show a write: the run was too short');
  return { lines, violations, ok: violations.length + silent.length + untold.length + failures.length === 0 && demanded > 0 };
}

function countByKind(all: readonly { readonly kind: string }[]): string {
  const counts = new Map<string, number>();
  for (const { kind } of all) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ');
}

function times(count: number): string {
  return ['never', 'once', 'twice'][count] ?? `${count} times`;
}
