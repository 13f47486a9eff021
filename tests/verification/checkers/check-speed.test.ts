import { describe, expect, it } from 'vitest';
import { checkHistory } from '../../../verification/checkers/check.js';
import type { History, RecordedOperation, State } from '../../../verification/checkers/history.js';
import { checkLinearizability } from '../../../verification/checkers/linearizability.js';
import { busyRegister } from './busy-register.js';
import { told } from './told.js';

/** What it takes of the processor, in milliseconds: the time on the clock says more about who else is at work. */
function costMs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

const CHAOS = { seed: 1, operations: 100_000, clients: 16, unknown: 0.1 };

describe('it takes little time', () => {
  it('for the history of a simulation: 200 operations of 6 clients, about 30 of them unknown', () => {
    const many = Array.from({ length: 100 }, (_, seed) =>
      busyRegister({ seed, operations: 200, clients: 6, keys: 1 + (seed % 3), unknown: 0.3 }),
    );
    const ms = costMs(() => {
      for (const { history, finals } of many) expect(checkHistory(history, finals)).toEqual([]);
    });
    expect(ms / many.length).toBeLessThan(50);
  });

  it('for the history of a chaos run: 100,000 operations on 9 keys', () => {
    const { history, finals } = busyRegister({ ...CHAOS, keys: 9 });
    expect(costMs(() => expect(checkHistory(history, finals)).toEqual([]))).toBeLessThan(5_000);
  });

  it.each(['early', 'late'] as const)('for 30,000 operations on one key, with one wrong answer, %s', (when) => {
    const { history, finals } = busyRegister({ ...CHAOS, operations: 30_000, keys: 1 });
    answerStale(history, when);
    expect(costMs(() => expect(checkHistory(history, finals)).toMatchObject([{ rule: 'linearizability' }]))).toBeLessThan(5_000);
  });

  it('for many unknown writes of one version, whether some order explains them or none', () => {
    const lines: string[] = [];
    for (let ver = 0; ver < 8; ver += 1) for (let of = 0; of < 20; of += 1) lines.push(`W${ver}.${of} put ${ver} v${ver}.${of}`);
    lines.push('R get', 'R 6 v5.7', 'R get', 'R 8 v7.13');
    expect(costMs(() => expect(checkLinearizability(told(lines.join('\n')))).toBeUndefined())).toBeLessThan(500);
    lines.push('R get', 'R 7 v6.1');
    expect(costMs(() => expect(checkLinearizability(told(lines.join('\n')))).toBeDefined())).toBeLessThan(500);
  });
});

/** Answers the first or the last read that is far above the lowest with what that one saw. */
function answerStale({ operations }: History, when: 'early' | 'late'): void {
  const seen = ({ request, returned }: RecordedOperation): State | undefined =>
    request.kind === 'get' && returned?.outcome.kind === 'state' ? returned.outcome : undefined;
  const lowest = operations.map(seen).find((state) => state !== undefined);
  const isFarAbove = (operation: RecordedOperation): boolean => (seen(operation)?.ver ?? 0) > (lowest?.ver ?? Infinity) + 10;
  const index = when === 'early' ? operations.findIndex(isFarAbove) : operations.findLastIndex(isFarAbove);
  const read = operations[index];
  if (!read?.returned || !lowest) throw new Error('nobody reads');
  operations[index] = { ...read, returned: { ...read.returned, outcome: { kind: 'state', ...lowest } } };
}
