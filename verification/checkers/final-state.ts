import type { RecordedOperation, Violation } from './history.js';
import type { State } from './state.js';
import { describeState } from './wording.js';

/**
 * Whether what one key holds in the end is within what was written: each acknowledged write made a version, and each unknown one may have.
 *
 * @param final read when all was over
 */
export function checkFinalState(operations: readonly RecordedOperation[], final: State): Violation | undefined {
  let [acknowledged, unknown] = [0, 0];
  let isWritten = final.ver === 0 && final.val === null;
  for (const { request, returned } of operations) {
    if (request.kind === 'get') continue;
    const outcome = returned?.outcome.kind ?? 'unknown';
    if (outcome === 'written') acknowledged += 1;
    else if (outcome === 'unknown') unknown += 1;
    else continue;
    if (request.val === final.val) isWritten = true;
  }
  const violation = (problem: string): Violation => ({
    rule: 'final state',
    key: operations[0]?.key ?? '',
    message: `the key ended at ${describeState(final)}, ${problem} (${acknowledged} writes acknowledged, ${unknown} unknown)`,
  });
  if (!(final.ver >= acknowledged)) return violation('which is fewer versions than writes that were acknowledged');
  if (!(final.ver <= acknowledged + unknown)) return violation('which is more versions than writes that can have made them');
  if (!isWritten) return violation('a value that none of its writes can have left');
  return undefined;
}
